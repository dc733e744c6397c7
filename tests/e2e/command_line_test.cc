// What a user meets at the command line: options, exit codes, and sentences that say what to do.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "host/core/json.h"
#include "tests/e2e/host_process.h"

namespace kps::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

Process Start(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  arguments.insert(arguments.begin(), KPS_HOST);
  return {std::move(arguments), std::move(environment)};
}

TEST(CommandLineTest, WithoutAPluginItListsThem) {
  Process host = Start({});
  EXPECT_EQ(host.Wait(), 2);
  EXPECT_THAT(host.err(), AllOf(HasSubstr("name one with --plugin or KPS_PLUGIN"), HasSubstr("generator"),
                                HasSubstr("template"), HasSubstr(KPS_PLUGINS)));
}

TEST(CommandLineTest, UnknownPluginListsThoseThatExist) {
  Process host = Start({"--plugin", "nonesuch"});
  EXPECT_EQ(host.Wait(), 2);
  EXPECT_THAT(host.err(), AllOf(HasSubstr("there is no plugin \"nonesuch\""), HasSubstr("generator")));
}

TEST(CommandLineTest, StaticParametersThatThePluginDoesNotTakeAreWrongParameters) {
  Process host = Start({"--plugin", "file", "--static-param", "rot=/tmp"});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), HasSubstr("rot"));
}

TEST(CommandLineTest, PluginFileThatIsNoneIsNamed) {
  TempFolder folder;
  const std::string path = folder.Write("text.so", "no plugin");
  Process host = Start({"--plugin", path});
  EXPECT_EQ(host.Wait(), 2);
  EXPECT_THAT(host.err(), HasSubstr(path + " is not an ELF file"));
}

TEST(CommandLineTest, PortInUseExitsWithThree) {
  HostProcess first({"--plugin", "template"});
  ASSERT_TRUE(first.WaitUntilListening()) << first.process().err();
  Process second = Start({"--plugin", "template", "--listen", first.address()});
  EXPECT_EQ(second.Wait(), 3);
  EXPECT_THAT(second.err(), HasSubstr(first.address()));
}

TEST(CommandLineTest, AnImpossiblePortIsRefused) {
  for (const char* address : {"127.0.0.1:99999", "127.0.0.1:", "127.0.0.1:80x"}) {
    Process host = Start({"--plugin", "template", "--listen", address});
    EXPECT_EQ(host.Wait(), 1) << address;
    EXPECT_THAT(host.err(), HasSubstr("HOST:PORT"));
  }
}

TEST(CommandLineTest, ADirectoryIsNoPayloadFile) {
  TempFolder folder;
  Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--payloads", folder.Path("")});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), HasSubstr("is a directory"));
}

TEST(CommandLineTest, MalformedPayloadFileIsLocated) {
  TempFolder folder;
  const std::string path = folder.Write("bad.json", "{\n  \"payloads\": [\n    oops\n  ]\n}\n");
  Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--payloads", path});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), AllOf(HasSubstr(path), HasSubstr("line 3, column 5")));
}

TEST(CommandLineTest, WrongContentOfAPayloadFileIsLocated) {
  struct Row {
    const char* content;
    const char* said;
  };
  const Row rows[] = {
      {"{\"payloads\": [\n  {\"stream\": {\"id\": \"a\",\n    \"chanel\": \"c\"}}]}",
       "payloads[0].stream.chanel (line 3, column 5): there is no such field"},
      {"{\"payloads\": [\n  {\"stream\": {\"direction\": \"INGRESS\"}}]}",
       "payloads[0].stream.direction (line 2, column 15): invalid value \"INGRESS\""},
      {"{\"payloads\": [\n  {\"stream\": {\"direction\": \"INGRESS\"}}]}", "use STREAM_DIRECTION_INGRESS"},
      {"{\"payloads\": [\n  {}, {\"stream\": {\"id\": [\"a\"]}}]}", "payloads[1].stream.id (line 2, column 19): "},
      {"{\"payloads\": [ 7 ]}", "payloads[0] (line 1, column 16): "},
      {R"({"name":"a","direction":"INGRESS","stream":{}})", "kps-connector streams set FILE takes it"},
      {R"({"name":"a","config":{}})", "kps-connector config set FILE takes it"},
      {R"({"name":"a","connectorVersion":"1"})", "the platform's JSON of a connector class"},
      {R"({"name":"a","connectorClassID":"c"})", "the platform's JSON of a connector instance"},
  };
  const TempFolder folder;
  for (const Row& row : rows) {
    const std::string path = folder.Write("wrong.json", row.content);
    Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--payloads", path});
    EXPECT_EQ(host.Wait(), 1);
    EXPECT_THAT(host.err(), AllOf(HasSubstr(path + " is no SetPayloadRequest: "), HasSubstr(row.said)));
  }
}

TEST(CommandLineTest, PayloadFileThatIsNotThereIsNamed) {
  Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--payloads", "/nowhere.json"});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), HasSubstr("/nowhere.json: No such file"));
}

TEST(CommandLineTest, DirectionThatThePluginLacksIsNamed) {
  TempFolder folder;
  const std::string path = folder.Write("egress.json", PayloadsJson({StreamJson("out", "EGRESS", "c")}));
  Process host = Start({"--plugin", KPS_INGRESS_ONLY, "--listen", "127.0.0.1:0", "--payloads", path});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), AllOf(HasSubstr(path), HasSubstr("EGRESS"), HasSubstr("ingress-only")));
}

TEST(CommandLineTest, BadOptionsExitWithOne) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--nonsense"}, {"--log-level", "loud"}, {"--log-format", "xml"}, {"--static-param", "novalue"}, {"--plugin"}};
  for (const auto& arguments : wrong) {
    Process host = Start(arguments);
    EXPECT_EQ(host.Wait(), 1) << arguments[0];
    EXPECT_THAT(host.err(), StartsWith("kps-connector-host: "));
  }
}

TEST(CommandLineTest, TransportOfUnknownSchemeExitsWithOne) {
  Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--transport", "carrier-pigeon://x"});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), HasSubstr("carrier-pigeon"));
}

TEST(CommandLineTest, DeliveryAtLeastOnceInMemoryExitsWithOne) {
  Process host = Start({"--plugin", "template", "--listen", "127.0.0.1:0", "--delivery", "at-least-once"});
  EXPECT_EQ(host.Wait(), 1);
  EXPECT_THAT(host.err(), HasSubstr("memory: keeps nothing"));
}

TEST(CommandLineTest, HelpHasTheExitCodesAndVersionTheAbi) {
  Process help = Start({"--help"});
  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.out(), AllOf(HasSubstr("Exit codes:"), HasSubstr("--payloads")));
  Process version = Start({"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(
      version.out(),
      MatchesRegex("kps-connector-host [0-9]+\\.[0-9]+\\.[0-9]+ \\(plugin ABI [0-9]+, contract connector.v1\\)\n"));
}

TEST(CommandLineTest, HelpMarkdownIsATable) {
  Process help = Start({"--help-markdown"});
  EXPECT_EQ(help.Wait(), 0);
  std::istringstream lines(help.out());
  std::string line;
  while (std::getline(lines, line)) EXPECT_THAT(line, MatchesRegex("\\|.*\\|"));
  EXPECT_THAT(help.out(), AllOf(HasSubstr("KPS_STATIC_PARAMETERS"), HasSubstr("NATS_BROKER")));
}

TEST(CommandLineTest, ConnectorIdTakesOneDashToo) {
  const std::vector<std::vector<std::string>> ways = {
      {"-connectorInstanceID", "mine"}, {"-connectorInstanceID=mine"}, {"--connectorInstanceID", "mine"}};
  for (std::vector<std::string> arguments : ways) {
    arguments.insert(arguments.begin(), {"--plugin", "template"});
    HostProcess host(arguments);
    ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
    EXPECT_NE(host.Client({"streams", "get", "--connector-id", "mine"}), "");
    Process other({KPS_CONNECTOR, "--address", host.address(), "streams", "get", "--connector-id", "yours"}, {});
    EXPECT_EQ(other.Wait(), 2);
  }
}

TEST(CommandLineTest, BrokenStaticParametersAreNamed) {
  for (const char* json : {"{\"a\":", "[]", "nonsense"}) {
    Process host = Start({"--plugin", "template"}, {std::string("KPS_STATIC_PARAMETERS=") + json});
    EXPECT_EQ(host.Wait(), 1) << json;
    EXPECT_THAT(host.err(), HasSubstr("KPS_STATIC_PARAMETERS"));
  }
}

TEST(CommandLineTest, JsonLogIsAnObjectALine) {
  HostProcess host({"--plugin", "template", "--log-format", "json"});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_EQ(host.Stop(), 0);
  std::istringstream lines(host.process().err());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    const auto members = ParseJsonObject(line);
    ASSERT_TRUE(members.ok()) << line;
    for (const char* key : {"time", "level", "message"}) EXPECT_EQ(members.value().count(key), 1u) << line;
    ++count;
  }
  EXPECT_GE(count, 3);
}

TEST(CommandLineTest, SignalsStopItInOrder) {
  for (const auto& [number, name] : {std::pair(SIGTERM, "SIGTERM"), std::pair(SIGINT, "SIGINT")}) {
    HostProcess host({"--plugin", "template"});
    ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
    host.process().Signal(number);
    EXPECT_EQ(host.process().Wait(), 0);
    EXPECT_THAT(host.process().err(), AllOf(HasSubstr(std::string(name) + ": stopping"), HasSubstr("INFO  stopped\n")));
  }
}

}  // namespace
}  // namespace kps::test
