#include "cli/read_payloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/cli/fake_connector.h"

namespace kps::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Result<v1::SetPayloadRequest> Read(const std::string& text) {
  std::istringstream in(text);
  return ReadPayloads({"-"}, in);
}

std::string ReadJson(const std::string& text) {
  const auto read = Read(text);
  return read.ok() ? ToJson(read.value()) : read.failure().text;
}

std::string FailureOf(const std::string& text) {
  const auto read = Read(text);
  if (read.ok()) return "read: " + ToJson(read.value());
  EXPECT_EQ(read.failure().exit_code, kExitUsage);
  return read.failure().text;
}

constexpr char kIngressA[] =
    R"({"payloads":[{"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a","metadata":{"x":1}}}]})";

TEST(ReadPayloads, PlatformStreamTakesIdAndChannelFromItsName) {
  EXPECT_EQ(ReadJson(R"({"name":"a","direction":"INGRESS","stream":{"x":1},"labels":[],"serviceDomainIds":[]})"),
            kIngressA);
}

TEST(ReadPayloads, PlatformStreamMayNameIdAndChannelInEitherSpelling) {
  for (const char* channel : {"transportChannel", "transport_channel"}) {
    EXPECT_EQ(
        ReadJson(R"({"name":"n","id":"i","direction":"EGRESS","stream":{},")" + std::string(channel) + R"(":"c"})"),
        R"({"payloads":[{"stream":{"id":"i","direction":"STREAM_DIRECTION_EGRESS","transportChannel":"c","metadata":{}}}]})");
  }
}

TEST(ReadPayloads, PlatformFilesNameTheConnector) {
  EXPECT_EQ(ReadJson(R"({"name":"c","connectorInstanceID":"k","config":{"x":"y"}})"),
            R"({"connectorId":"k","payloads":[{"config":{"metadata":{"x":"y"}}}]})");
}

TEST(ReadPayloads, ProtobufJsonOfEachKind) {
  const std::string stream =
      R"({"id":"a","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a","metadata":{"x":1}})";
  EXPECT_EQ(ReadJson(stream), kIngressA);
  EXPECT_EQ(ReadJson(R"({"stream":)" + stream + "}"), kIngressA);
  EXPECT_EQ(ReadJson(kIngressA), kIngressA);
  EXPECT_EQ(ReadJson(R"({"metadata":{"x":1}})"), R"({"payloads":[{"config":{"metadata":{"x":1}}}]})");
  EXPECT_EQ(ReadJson(R"({"config":{"metadata":{"x":1}}})"), R"({"payloads":[{"config":{"metadata":{"x":1}}}]})");
}

TEST(ReadPayloads, SavedResponseComesBackWithoutDiscoveredStreams) {
  EXPECT_EQ(ReadJson(R"({"status":{"code":"RESPONSE_CODE_OK"},"payloads":[{"stream":{"id":"found","discovered":true}},
                         {"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a",
                                    "metadata":{"x":1}}}]})"),
            kIngressA);
}

TEST(ReadPayloads, ArrayMixesKindsAndMergesConfigs) {
  EXPECT_EQ(ReadJson(R"([{"metadata":{"x":1}},{"name":"a","direction":"INGRESS","stream":{}},
                         {"name":"c","config":{"x":2}}])"),
            R"({"payloads":[{"config":{"metadata":{"x":2}}},)"
            R"({"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a","metadata":{}}}]})");
}

TEST(ReadPayloads, BadJsonNamesLineColumnAndWhatIsExpected) {
  EXPECT_EQ(FailureOf("{\"a\": 1,\n \"b\" 2}"), "stdin:2:6: expected : after the key");
  EXPECT_EQ(FailureOf("[1\n,2\n 3]"), "stdin:3:2: expected , or ] after an element");
  EXPECT_EQ(FailureOf("{\"ä\": 1 \"b\": 2}"), "stdin:1:9: expected , or } after a member");
  EXPECT_EQ(FailureOf(""), "stdin:1:1: expected a JSON object or array, found nothing");
  EXPECT_EQ(FailureOf("{}\n{}"), "stdin:2:1: expected the end after the first JSON value (put several in an array)");
  EXPECT_THAT(FailureOf("{\"a\": nope}"), HasSubstr("expected a value"));
  EXPECT_THAT(FailureOf("{\"a\": \"\xff\"}"), HasSubstr("expected UTF-8"));
}

TEST(ReadPayloads, DeepNestingIsRefusedBeforeAnythingWalksIt) {
  EXPECT_EQ(FailureOf(std::string(100'000, '[')), "stdin:1:65: expected at most 64 levels of nesting");
  EXPECT_THAT(FailureOf("{\"x\": \"" + std::string(200, '[') + "\"}"), HasSubstr("expected a stream"));
}

std::string Nested(int levels) {
  std::string json;
  for (int i = 0; i < levels; ++i) json += i % 2 == 0 ? "{\"n: o\":" : "[\n";
  json += "1";
  for (int i = levels; i-- > 0;) json += i % 2 == 0 ? '}' : ']';
  return json;
}

TEST(ReadPayloads, MetadataNestedTooDeepAreLocatedInEveryForm) {
  for (const char* form : {R"({"metadata":@})", R"({"id":"a","metadata":@})", R"({"stream":{"id":"a","metadata":@}})",
                           R"({"payloads":[{"config":{"metadata":@}}]})",
                           R"([{"status":{},"payloads":[{"stream":{"id":"a","metadata":@}}]}])",
                           R"({"name":"a","config":@})", R"({"name":"a","direction":"INGRESS","stream":@})"}) {
    const auto text = [&](int levels) {
      std::string text = form;
      return text.replace(text.find('@'), 1, Nested(levels));
    };
    EXPECT_TRUE(Read(text(32)).ok()) << FailureOf(text(32));
    // The first level behind each line break is an object in an array; the 33rd level is the 16th of these.
    EXPECT_EQ(FailureOf(text(33)), "stdin:17:1: nested too deep: metadata have up to 32 levels") << form;
  }
}

TEST(ReadPayloads, IntegersThatAreNoDoublesAreRefused) {
  EXPECT_EQ(
      FailureOf("{\"metadata\": {\"ü9007199254740993\": [1,\n -9007199254740993]}}"),
      "stdin:2:2: -9007199254740993 would become -9007199254740992, as numbers are doubles: write it as a string, "
      "\"-9007199254740993\"");
  for (const char* inexact : {"18446744073709551617", "18446744073709551615", "100000000000000000000001"}) {
    EXPECT_THAT(FailureOf("{\"metadata\":{\"n\":" + std::string(inexact) + "}}"), StartsWith("stdin:1:18: "))
        << inexact;
  }
  for (const char* exact :
       {"9007199254740992", "-9007199254740992", "9007199254740994", "18446744073709551616", "10000000000000000000000",
        "-0", "0", "0.1", "9007199254740993.0", "9e99", "\"1\\\"99\"", "\"9007199254740993\""}) {
    EXPECT_TRUE(Read("{\"metadata\":{\"n\":" + std::string(exact) + "}}").ok()) << exact;
  }
}

TEST(ReadPayloads, NumbersAreReadToTheLastDigit) {
  for (const char* number : {"0.1", "5.3176416616420016", "1.2345678901234567e+22", "8.533e+68", "-4.1878999e-275"}) {
    const auto read = Read("{\"metadata\":{\"n\":" + std::string(number) + "}}");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read.value().payloads(0).config().metadata().fields().at("n").number_value(), std::stod(number))
        << number;
  }
}

TEST(ReadPayloads, AnEmptyPayloadIsNamedByItsIndexAndLocated) {
  EXPECT_EQ(FailureOf("{\"payloads\": [\n{\"config\": {}},\n {}]}"),
            "stdin:3:2: payloads[1] is an empty payload: it needs a \"stream\" or a \"config\"");
  EXPECT_THAT(FailureOf("[{\"payloads\": [null,\n {\"config\": {}}, null,\n {\"stream\": null}]}]"),
              StartsWith("stdin:3:2: payloads[3] is an empty payload"));
  EXPECT_THAT(FailureOf("{\"payloads\": [{\"stream\": {\"id\": \"a\"}},\n{\"stream\": {\"id\": \"a\"}}]}"),
              StartsWith("stdin:2:1: the stream \"a\" is already in stdin"));
}

TEST(ReadPayloads, UnknownKeyIsNamedWithTheKnownOnes) {
  EXPECT_THAT(
      FailureOf(R"([{"metadata":{}},{"name":"a","direction":"INGRESS","stream":{},"lables":[]}])"),
      AllOf(HasSubstr("stdin:1:64: unknown key \"lables\" in a stream"), HasSubstr("labels, serviceDomainIds")));
  EXPECT_THAT(FailureOf(R"({"name":"a","config":{},"labels":[]})"), HasSubstr("unknown key \"labels\" in a config"));
}

TEST(ReadPayloads, UnknownFieldOfProtobufJsonIsNamed) {
  EXPECT_THAT(FailureOf(R"({"id":"a","chanel":"c"})"), AllOf(HasSubstr("of a Stream"), HasSubstr("chanel")));
  EXPECT_THAT(FailureOf(R"({"config":{"host":"h"}})"), AllOf(HasSubstr("of a Payload"), HasSubstr("\"name\"")));
}

TEST(ReadPayloads, WrongContentSaysWhatIsExpected) {
  EXPECT_THAT(FailureOf("{}"), HasSubstr("expected a stream"));
  EXPECT_THAT(FailureOf("[[]]"), HasSubstr("stdin:1:2: expected a stream"));
  EXPECT_THAT(FailureOf(R"({"name":"a","direction":"UP","stream":{}})"), HasSubstr("\"INGRESS\""));
  EXPECT_THAT(FailureOf(R"({"name":"","direction":"INGRESS","stream":{}})"), HasSubstr("\"name\" must be"));
  EXPECT_THAT(FailureOf(R"({"name":"a","direction":"INGRESS","stream":[]})"),
              HasSubstr("\"stream\" must be an object"));
  EXPECT_THAT(FailureOf(R"({"name":"a","id":7,"direction":"INGRESS","stream":{}})"),
              HasSubstr("\"id\" must be a string"));
  EXPECT_THAT(FailureOf(R"({"name":"a"})"), HasSubstr("neither"));
  EXPECT_THAT(FailureOf(R"({"name":"a","stream":{},"config":{}})"), HasSubstr("both"));
  EXPECT_THAT(FailureOf(R"({"name":"a","name":"b","config":{}})"), HasSubstr("twice"));
}

TEST(ReadPayloads, WrongContentIsLocated) {
  struct Row {
    const char* text;
    const char* place;
  };
  const Row rows[] = {
      {"{\n  \"id\": \"a\",\n  \"chanel\": \"c\"\n}", "stdin:3:3: "},
      {"[\n{\"id\": \"a\"},\n{\"id\": \"b\", \"direction\": \"UP\"}\n]", "stdin:3:13: "},
      {R"({"payloads":[{"config":{}},
         {"stream":{"id":"a}{\"","metadata":{"x":["]"]}, "subscribed":"maybe"}}]})",
       "stdin:2:58: "},
      {R"({"payloads": [ 7 ]})", "stdin:1:16: "},
      {R"({"stream":{"id":["a"]}})", "stdin:1:12: "},
      {"{\"name\":\"a\",\n\"direction\":\"UP\",\"stream\":{}}", "stdin:2:1: "},
      {"{\"name\":\"a\",\n\"config\":{},\"id\":7}", "stdin:2:13: "},
  };
  for (const Row& row : rows) EXPECT_THAT(FailureOf(row.text), StartsWith(row.place)) << row.text;
}

TEST(ReadPayloads, OtherFilesOfThePlatformAreNamed) {
  EXPECT_THAT(FailureOf(R"({"name":"c","connectorVersion":"1.0.0","yamlData":""})"), HasSubstr("connector class"));
  EXPECT_THAT(FailureOf(R"({"name":"i","connectorClassID":"c","staticParameters":{}})"),
              HasSubstr("connector instance"));
}

TEST(ReadPayloads, OneIdTwiceNamesBothPlaces) {
  EXPECT_EQ(FailureOf(R"([{"id":"a"},{"id":"a"}])"),
            "stdin:1:13: the stream \"a\" is already in stdin at /0: an id names one stream");
}

TEST(ReadPayloads, FilesForTwoConnectorsAreRefused) {
  EXPECT_THAT(FailureOf(R"([{"name":"a","connectorInstanceID":"k","config":{}},
                            {"name":"b","connectorInstanceID":"l","config":{}}])"),
              HasSubstr("set one connector at a time"));
}

TEST(ReadPayloads, UnreadableFileSaysWhy) {
  std::istringstream none;
  EXPECT_EQ(ReadPayloads({"/nonexistent.json"}, none).failure().text,
            "cannot read /nonexistent.json: No such file or directory");
  EXPECT_THAT(ReadPayloads({"/tmp"}, none).failure().text, HasSubstr("directory"));
}

TEST(ReadPayloads, SamplesAreTwoStreamsAndAConfigOfOneConnector) {
  std::istringstream none;
  const auto read = ReadPayloads({KPS_SAMPLES "/connector_stream_ingress.json",
                                  KPS_SAMPLES "/connector_stream_egress.json", KPS_SAMPLES "/connector_config.json"},
                                 none);
  ASSERT_TRUE(read.ok()) << read.failure().text;
  EXPECT_EQ(read.value().connector_id(), "mqtt-instance");
  ASSERT_EQ(read.value().payloads_size(), 3);
  EXPECT_EQ(read.value().payloads(0).stream().direction(), v1::STREAM_DIRECTION_INGRESS);
  EXPECT_EQ(read.value().payloads(1).stream().direction(), v1::STREAM_DIRECTION_EGRESS);
  EXPECT_TRUE(read.value().payloads(2).has_config());
}

}  // namespace
}  // namespace kps::cli
