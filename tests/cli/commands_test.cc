#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/client.h"
#include "google/rpc/error_details.pb.h"
#include "tests/cli/fake_connector.h"

namespace kps::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kCurrent[] = R"({"payloads":[
  {"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","subscribed":true,"transportChannel":"a"}},
  {"stream":{"id":"b","direction":"STREAM_DIRECTION_EGRESS","transportChannel":"b"}},
  {"stream":{"id":"found","direction":"STREAM_DIRECTION_INGRESS","discovered":true}}]})";
constexpr char kSentA[] = R"({"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a"}})";
constexpr char kSentB[] = R"({"stream":{"id":"b","direction":"STREAM_DIRECTION_EGRESS","transportChannel":"b"}})";

class CommandsTest : public testing::Test {
 protected:
  // Everything that was set, a line of JSON each.
  std::vector<std::string> Sent() const {
    std::vector<std::string> sent;
    for (const auto& request : connector_.sets()) sent.push_back(ToJson(request));
    return sent;
  }

  FakeConnector connector_;
  Client client_{connector_.address(), 10s};
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  Context context_{client_, "k", Output::kTable, 0, in_, out_, err_};
};

TEST_F(CommandsTest, StreamsSetSendsTheFilesAsTheWholeSet) {
  connector_.AnswerStreams(kCurrent);
  in_.str(R"({"name":"n","direction":"EGRESS","stream":{"path":"/p"}})");
  EXPECT_EQ(StreamsSet({.files = {"-"}}, context_), kExitOk) << err_.str();
  EXPECT_THAT(Sent(),
              ElementsAre(R"({"connectorId":"k","payloads":[{"stream":{"id":"n","direction":"STREAM_DIRECTION_EGRESS",)"
                          R"("transportChannel":"n","metadata":{"path":"/p"}}}]})"));
  EXPECT_EQ(out_.str(), "1 stream set\n");
}

TEST_F(CommandsTest, StreamsSetClearsOutputOnlyFields) {
  in_.str(R"({"id":"a","subscribed":true,"discovered":true})");
  EXPECT_EQ(StreamsSet({.files = {"-"}}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k","payloads":[{"stream":{"id":"a"}}]})"));
}

TEST_F(CommandsTest, StreamsSetWithNothingRefusesAndNamesNone) {
  EXPECT_EQ(StreamsSet({}, context_), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--none stops every stream"));
  in_.str(R"({"metadata":{"x":1}})");
  EXPECT_EQ(StreamsSet({.files = {"-"}}, context_), kExitUsage);
  EXPECT_EQ(StreamsSet({.files = {"-"}, .none = true}, context_), kExitUsage);
  EXPECT_THAT(Sent(), ElementsAre());
}

TEST_F(CommandsTest, NoneSendsAnEmptySet) {
  EXPECT_EQ(StreamsSet({.none = true}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k"})"));
}

TEST_F(CommandsTest, AddKeepsTheDesiredStreamsAndReplacesTheSameId) {
  connector_.AnswerStreams(kCurrent);
  in_.str(R"([{"id":"a","transportChannel":"new"},{"id":"c"}])");
  EXPECT_EQ(StreamsSet({.add_files = {"-"}}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k","payloads":[{"stream":{"id":"a","transportChannel":"new"}},)" +
                                  std::string(kSentB) + R"(,{"stream":{"id":"c"}}]})"));
  EXPECT_EQ(out_.str(), "3 streams set\n");
}

TEST_F(CommandsTest, RemoveKeepsTheOthers) {
  connector_.AnswerStreams(kCurrent);
  EXPECT_EQ(StreamsSet({.remove_ids = {"a"}}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k","payloads":[)" + std::string(kSentB) + "]}"));
}

TEST_F(CommandsTest, RemovingAStreamThatIsOnlyDiscoveredSendsNothing) {
  connector_.AnswerStreams(kCurrent);
  EXPECT_EQ(StreamsSet({.remove_ids = {"found"}}, context_), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("those that are: a, b"));
  EXPECT_THAT(Sent(), ElementsAre());
}

TEST_F(CommandsTest, ConfigSetSendsTheDesiredStreamsAlong) {
  connector_.AnswerStreams(kCurrent);
  EXPECT_EQ(ConfigSet({"n=5", "n=6"}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k","payloads":[)" + std::string(kSentA) + "," + kSentB +
                                  R"(,{"config":{"metadata":{"n":6}}}]})"));
  EXPECT_EQ(out_.str(), "config set; 2 streams kept\n");
}

TEST_F(CommandsTest, ConfigSetWithoutTheStreamsSendsNothing) {
  connector_.FailCalls(grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ConfigSet({"n=5"}, context_), kExitUnreachable);
  EXPECT_THAT(Sent(), ElementsAre());
}

TEST_F(CommandsTest, ConfigSetReadsAFileAndRefusesOneWithStreams) {
  in_.str(R"({"name":"c","config":{"x":"y"}})");
  EXPECT_EQ(ConfigSet({"-"}, context_), kExitOk);
  EXPECT_THAT(Sent(), ElementsAre(R"({"connectorId":"k","payloads":[{"config":{"metadata":{"x":"y"}}}]})"));
  EXPECT_EQ(ConfigSet({KPS_SAMPLES "/connector_stream_egress.json"}, context_), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("use streams set"));
}

TEST_F(CommandsTest, ConnectorOfTheFilesIsUsedWhereNoOptionNamesOne) {
  context_.connector_id.clear();
  EXPECT_EQ(ConfigSet({KPS_SAMPLES "/connector_config.json"}, context_), kExitOk);
  EXPECT_THAT(connector_.connector_ids(), ElementsAre("mqtt-instance", "mqtt-instance"));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CommandsTest, ConnectorOfTheOptionWinsOverTheFilesAndSaysSo) {
  EXPECT_EQ(StreamsSet({.files = {KPS_SAMPLES "/connector_stream_egress.json"}}, context_), kExitOk);
  EXPECT_THAT(connector_.connector_ids(), ElementsAre("k"));
  EXPECT_THAT(err_.str(), HasSubstr("\"mqtt-instance\"; sending to \"k\""));
}

TEST_F(CommandsTest, RefusalShowsTheCodeAndEveryViolation) {
  v1::SetPayloadResponse response;
  response.mutable_status()->set_code(v1::RESPONSE_CODE_INVALID_ARGUMENT);
  response.mutable_status()->set_message("payloads[2].stream.id: is empty");
  google::rpc::BadRequest bad_request;
  for (const char* field : {"payloads[2].stream.id", "payloads[3].config"}) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description("is empty");
  }
  response.mutable_status()->add_details()->PackFrom(bad_request);
  connector_.AnswerSet(response);
  EXPECT_EQ(StreamsSet({.none = true}, context_), kExitRefused);
  EXPECT_EQ(err_.str(),
            "INVALID_ARGUMENT: payloads[2].stream.id: is empty\n"
            "  the request\n"
            "    payloads[2].stream.id  is empty\n"
            "    payloads[3].config     is empty\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CommandsTest, RefusalNamesTheStreamAndTheFileOfEachViolation) {
  connector_.AnswerStreams(kCurrent);
  v1::SetPayloadResponse response;
  response.mutable_status()->set_code(v1::RESPONSE_CODE_INVALID_ARGUMENT);
  response.mutable_status()->set_message("connector_id is \"k\"");
  google::rpc::BadRequest bad_request;
  const std::pair<const char*, const char*> violations[] = {
      {"connector_id", "is \"k\""},
      {"payloads[0].stream.metadata.n", "is missing"},
      {"payloads[2].stream.metadata.broker", "is missing"},
      {"payloads[2].stream.transport_channel", "is empty"},
      {"payloads[3].config.metadata.x", "is a string"},
      {"payloads[99].stream.id", "is of no payload"},
      {"payloads[x]", "is no index"},
  };
  for (const auto& [field, description] : violations) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description(description);
  }
  response.mutable_status()->add_details()->PackFrom(bad_request);
  connector_.AnswerSet(response);
  in_.str(R"([{"name":"config","config":{"x":"y"}},{"name":"new","direction":"INGRESS","stream":{}}])");
  EXPECT_EQ(StreamsSet({.add_files = {"-"}}, context_), kExitRefused);
  EXPECT_EQ(err_.str(),
            "INVALID_ARGUMENT: connector_id is \"k\"\n"
            "  the request\n"
            "    connector_id                          is \"k\"\n"
            "  stream \"a\"\n"
            "    payloads[0].stream.metadata.n         is missing\n"
            "  config, from stdin at /0\n"
            "    payloads[2].stream.metadata.broker    is missing\n"
            "    payloads[2].stream.transport_channel  is empty\n"
            "  stream \"new\", from stdin at /1\n"
            "    payloads[3].config.metadata.x         is a string\n"
            "  the request\n"
            "    payloads[99].stream.id                is of no payload\n"
            "    payloads[x]                           is no index\n");
}

TEST_F(CommandsTest, ConfigThatIsRefusedNamesItsFiles) {
  v1::SetPayloadResponse response;
  response.mutable_status()->set_code(v1::RESPONSE_CODE_FAILED_PRECONDITION);
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("payloads[0].config.metadata.poll_interval_ms");
  violation->set_description("is 200, but must be at most 100");
  response.mutable_status()->add_details()->PackFrom(bad_request);
  connector_.AnswerSet(response);
  EXPECT_EQ(ConfigSet({KPS_SAMPLES "/connector_config.json", "x=1"}, context_), kExitRefused);
  EXPECT_THAT(err_.str(),
              HasSubstr("FAILED_PRECONDITION: (the connector gave no reason)\n  config, from " KPS_SAMPLES
                        "/connector_config.json\n    payloads[0].config.metadata.poll_interval_ms  is 200"));
}

TEST_F(CommandsTest, HealthSaysWhetherTheConnectorServes) {
  connector_.SetServing(true);
  EXPECT_EQ(Health(context_), kExitOk);
  connector_.SetServing(false);
  EXPECT_EQ(Health(context_), kExitRefused);
  EXPECT_EQ(out_.str(), "SERVING\nNOT_SERVING\n");
  Client nowhere("127.0.0.1:1", 10s);
  Context context{nowhere, "k", Output::kTable, 0, in_, out_, err_};
  EXPECT_EQ(Health(context), kExitUnreachable);
}

TEST_F(CommandsTest, AConnectorThatIsNoHostOfOursHasNoPluginToShow) {
  EXPECT_EQ(PluginStatus(context_), kExitUnreachable);
  EXPECT_EQ(PluginReload(context_), kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("does not serve kps.host.v1"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CommandsTest, SilentConnectorEndsWithTheTimeout) {
  connector_.Hang();
  Client impatient(connector_.address(), 100ms);
  Context context{impatient, "k", Output::kTable, 0, in_, out_, err_};
  EXPECT_EQ(StreamsGet(context), kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("no answer from " + connector_.address() + " within 0.1 s"));
}

TEST_F(CommandsTest, OtherServersAreNamedAsSuch) {
  connector_.FailCalls(grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Events(context_), kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("does not serve connector.v1"));
}

TEST_F(CommandsTest, ConfigGetShowsTheConfig) {
  connector_.AnswerConfig(R"({"payloads":[{"config":{"metadata":{"a":1}}}]})");
  EXPECT_EQ(ConfigGet(context_), kExitOk);
  EXPECT_EQ(out_.str(), "KEY  VALUE\na    1\n");
}

TEST_F(CommandsTest, JsonOutputReadsBackAsTheResponse) {
  connector_.AnswerStreams(kCurrent);
  context_.output = Output::kJson;
  EXPECT_EQ(StreamsGet(context_), kExitOk);
  const auto response = FromJson<v1::GetPayloadResponse>(out_.str());
  EXPECT_EQ(response.status().code(), v1::RESPONSE_CODE_OK);
  EXPECT_EQ(response.payloads_size(), 3);
}

}  // namespace
}  // namespace kps::cli
