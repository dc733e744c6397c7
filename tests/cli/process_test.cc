// The program as a user runs it.

#include "tests/support/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/cli/fake_connector.h"

namespace kps::cli {
namespace {

using test::Process;
using testing::ElementsAre;
using testing::HasSubstr;

Process Start(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), KPS_CONNECTOR);
  return {std::move(arguments), environment};
}

std::string Event(const std::string& message) {
  return R"({"status":{"id":"s","streamId":"a","state":"STATE_HEALTHY","message":")" + message + R"("}})";
}

std::string Events(const std::vector<std::string>& events) {
  std::string json;
  for (const std::string& event : events) json += (json.empty() ? "" : ",") + event;
  return R"({"eventPayloads":[)" + json + "]}";
}

TEST(ProgramTest, OptionsWorkOnEitherSideOfTheSubcommand) {
  FakeConnector connector;
  Process before = Start({"--address", connector.address(), "--connector-id", "one", "streams", "get"});
  EXPECT_EQ(before.Wait(), 0) << before.err();
  Process after = Start({"streams", "get", "--address", connector.address(), "--connector-id=two", "-o", "json"});
  EXPECT_EQ(after.Wait(), 0) << after.err();
  EXPECT_THAT(connector.connector_ids(), ElementsAre("one", "two"));
  EXPECT_THAT(after.out(), HasSubstr("\"RESPONSE_CODE_OK\""));
}

TEST(ProgramTest, EnvironmentNamesAddressAndConnector) {
  FakeConnector connector;
  Process process = Start({"config", "get"}, {"KPS_ADDRESS=" + connector.address(), "CONNECTOR_INSTANCE_ID=e"});
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_THAT(connector.connector_ids(), ElementsAre("e"));
}

TEST(ProgramTest, AddTakesSeveralFilesAndAnOptionAfterThem) {
  FakeConnector connector;
  Process process = Start({"streams", "set", "--add", KPS_SAMPLES "/connector_stream_ingress.json",
                           KPS_SAMPLES "/connector_stream_egress.json", "--address", connector.address()});
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_EQ(process.out(), "2 streams set\n");
  ASSERT_EQ(connector.sets().size(), 1u);
  EXPECT_EQ(connector.sets()[0].connector_id(), "mqtt-instance");
}

TEST(ProgramTest, UsageErrorsExitWithOne) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"streams"},
      {"streams", "set"},
      {"config", "set"},
      {"nonsense"},
      {"streams", "get", "--address", "nowhere"},
      {"streams", "get", "-o", "xml"},
      {"streams", "get", "--timeout", "0"},
      {"streams", "get", "--timeout", "inf"},
      {"streams", "set", "/nonexistent.json"},
  };
  for (const auto& arguments : wrong) {
    Process process = Start(arguments);
    EXPECT_EQ(process.Wait(), 1) << process.err();
    EXPECT_NE(process.err(), "");
  }
}

TEST(ProgramTest, ATimeoutThatIsNoNumberIsNotWaitedFor) {
  for (const std::string number : {"nan", "-NaN", "nan(1)"}) {
    Process process = Start({"streams", "get", "--address", "127.0.0.1:1", "--timeout", number});
    EXPECT_EQ(process.Wait(), 1);
    EXPECT_THAT(process.err(), testing::HasSubstr("--timeout: \"" + number + "\" is no finite number"));
  }
}

TEST(ProgramTest, RefusalExitsWithTwo) {
  FakeConnector connector;
  v1::SetPayloadResponse response;
  response.mutable_status()->set_code(v1::RESPONSE_CODE_INVALID_ARGUMENT);
  response.mutable_status()->set_message("connector_id: is \"x\"");
  connector.AnswerSet(response);
  Process process = Start({"streams", "set", "--none", "--address", connector.address()});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.err(), "INVALID_ARGUMENT: connector_id: is \"x\"\n");
}

TEST(ProgramTest, NothingAtTheAddressExitsWithThree) {
  Process process = Start({"events", "--address", "127.0.0.1:1"});
  EXPECT_EQ(process.Wait(), 3);
  EXPECT_THAT(process.err(), HasSubstr("cannot reach a connector at 127.0.0.1:1: is the host running"));
}

TEST(ProgramTest, HelpHasTheExitCodesAndVersionIsTheProjects) {
  Process help = Start({"--help"});
  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.out(), HasSubstr("Exit codes:"));
  Process version = Start({"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.out(), testing::MatchesRegex("kps-connector [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(ProgramTest, FollowPrintsOnlyNewAndChangedEventsAndEndsOnASignal) {
  for (const int number : {SIGINT, SIGTERM}) {
    FakeConnector connector;
    connector.AnswerEvents(Events({Event("first")}));
    Process process = Start({"events", "--follow", "--address", connector.address()});
    ASSERT_TRUE(process.WaitForOutput("first")) << process.err();
    ASSERT_TRUE(connector.WaitForEventCalls(2));
    const std::string other = R"({"alert":{"id":"s","streamId":"a","message":"third"}})";
    connector.AnswerEvents(Events({Event("second"), other}));
    ASSERT_TRUE(process.WaitForOutput("third")) << process.err();
    process.Signal(number);
    EXPECT_EQ(process.Wait(), 0) << process.err();
    EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), 4) << process.out();  // with the header
  }
}

TEST(ProgramTest, FollowWritesAnEventALineAsJson) {
  FakeConnector connector;
  connector.AnswerEvents(Events({Event("first")}));
  Process process = Start({"events", "--follow", "-o", "json", "--address", connector.address()});
  ASSERT_TRUE(process.WaitForOutput("}\n")) << process.err();
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(FromJson<v1::EventPayload>(process.out()).status().message(), "first");
}

TEST(ProgramTest, FollowWaitsForAHostThatWentAway) {
  FakeConnector connector;
  connector.AnswerEvents(Events({Event("first")}));
  Process process = Start({"events", "--follow", "--address", connector.address()});
  ASSERT_TRUE(process.WaitForOutput("first"));
  connector.FailCalls(grpc::StatusCode::UNAVAILABLE);
  ASSERT_TRUE(process.WaitForOutput("still following"));
  connector.FailCalls(grpc::StatusCode::OK);
  EXPECT_TRUE(process.WaitForOutput("connected again"));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
}

TEST(ProgramTest, FollowEndsWithThreeWhereNothingAnswersAtFirst) {
  Process process = Start({"events", "--follow", "--address", "127.0.0.1:1"});
  EXPECT_EQ(process.Wait(), 3);
}

TEST(ProgramTest, SignalEndsFollowInTheMiddleOfACall) {
  FakeConnector connector;
  connector.Hang();
  Process process = Start({"events", "--follow", "--timeout", "3600", "--address", connector.address()});
  ASSERT_TRUE(connector.WaitForCall());
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 0);
}

}  // namespace
}  // namespace kps::cli
