// Requests that are refused: each with its code, and with every field that is wrong, and without any effect.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/grpc/fixture.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

constexpr char kStreamSchema[] = R"({
  "type": "object", "required": ["broker", "topic"], "additionalProperties": false,
  "properties": {
    "broker": {"type": "string", "pattern": "^[a-z]+://"},
    "topic": {"type": "string", "minLength": 1, "maxLength": 20},
    "qos": {"type": "integer", "enum": [0, 1, 2]},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "tls": {"$ref": "#/definitions/tls"},
    "filters": {"type": "array", "maxItems": 2, "items": {"type": "object", "required": ["field"],
                "properties": {"field": {"type": "string"}}}},
    "auth": {"oneOf": [{"required": ["user", "password"]}, {"required": ["token"]}]}
  },
  "definitions": {"tls": {"type": "object", "required": ["ca"], "additionalProperties": false,
                          "properties": {"ca": {"type": "string"}, "verify": {"type": "boolean"}}}}})";
constexpr char kConfigSchema[] = R"({
  "properties": {"interval_ms": {"type": "integer", "minimum": 10}, "limits": {"type": "object",
                 "additionalProperties": {"type": "number"}}, "mode": {"enum": ["fast", "safe"]}},
  "additionalProperties": false})";

// What is set before each bad request, and must be there after it.
constexpr char kGood[] = R"({"connectorId":"me","payloads":[
  {"stream":{"id":"s","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a.b",
             "metadata":{"broker":"tcp://b","topic":"t"}}},
  {"config":{"metadata":{"interval_ms":100}}}]})";

using Change = std::function<void(v1::SetPayloadRequest*)>;

v1::Stream* StreamOf(v1::SetPayloadRequest* request) { return request->mutable_payloads(0)->mutable_stream(); }
google::protobuf::Struct* MetadataOf(v1::SetPayloadRequest* request) { return StreamOf(request)->mutable_metadata(); }
google::protobuf::Struct* ConfigOf(v1::SetPayloadRequest* request) {
  return request->mutable_payloads(1)->mutable_config()->mutable_metadata();
}

Change Id(const std::string& id) {
  return [id](v1::SetPayloadRequest* request) { StreamOf(request)->set_id(id); };
}
Change Channel(const std::string& channel) {
  return [channel](v1::SetPayloadRequest* request) { StreamOf(request)->set_transport_channel(channel); };
}
Change EgressChannel(const std::string& channel) {
  return [channel](v1::SetPayloadRequest* request) {
    StreamOf(request)->set_direction(v1::STREAM_DIRECTION_EGRESS);
    StreamOf(request)->set_transport_channel(channel);
  };
}
Change DirectionNumber(int number) {
  return [number](v1::SetPayloadRequest* request) {
    StreamOf(request)->set_direction(static_cast<v1::StreamDirection>(number));
  };
}
google::protobuf::Value Json(const std::string& json) {
  google::protobuf::Value value;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &value).ok()) << json;
  return value;
}
Change Metadata(const std::string& key, const std::string& json) {
  return [=](v1::SetPayloadRequest* request) { (*MetadataOf(request)->mutable_fields())[key] = Json(json); };
}
Change NoMetadata(const std::string& key) {
  return [=](v1::SetPayloadRequest* request) { MetadataOf(request)->mutable_fields()->erase(key); };
}
Change MetadataNumber(const std::string& key, double number) {
  return
      [=](v1::SetPayloadRequest* request) { (*MetadataOf(request)->mutable_fields())[key].set_number_value(number); };
}
Change Config(const std::string& key, const std::string& json) {
  return [=](v1::SetPayloadRequest* request) { (*ConfigOf(request)->mutable_fields())[key] = Json(json); };
}
Change Both(const Change& first, const Change& second) {
  return [=](v1::SetPayloadRequest* request) {
    first(request);
    second(request);
  };
}
Change Nested(bool in_config, int levels) {
  return [=](v1::SetPayloadRequest* request) {
    google::protobuf::Struct* object = in_config ? ConfigOf(request) : MetadataOf(request);
    for (int i = 1; i < levels; ++i) object = (*object->mutable_fields())["n"].mutable_struct_value();
  };
}

std::string Replaced(std::string bytes, std::string_view what, std::string_view with) {
  EXPECT_NE(bytes.find(what), bytes.npos) << what;
  return bytes.replace(bytes.find(what), what.size(), with);
}

struct Row {
  std::string name;
  Change change;
  std::vector<std::string> violations;  // "field: " and the beginning of the description, in order
};

const std::string kS = "payloads[0].stream";
const std::string kM = "payloads[0].stream.metadata";
const std::string kC = "payloads[1].config.metadata";

// What is said of objects in each other, each with the one key "n".
std::string NestedTooDeep() {
  std::string place = kM;
  for (int i = 1; i <= 32; ++i) place += ".n";
  return place + ": is nested deeper than 32 levels";
}

std::vector<Row> Rows() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string no_space = kS + ".transport_channel: has a space or control character at byte ";
  const std::string token = kS + ".transport_channel: has an empty token";
  const std::string nested = NestedTooDeep();
  const std::string unknown = " is not a parameter of the plugin; it knows: ";
  return {
      // The connector.
      {"another connector",
       [](auto* request) { request->set_connector_id("you"); },
       {"connector_id: is \"you\", but this is connector \"me\""}},
      {"no connector", [](auto* request) { request->clear_connector_id(); }, {"connector_id: is empty, but this is"}},
      {"a connector id of 10 kB",
       [](auto* request) { request->set_connector_id(std::string(10'000, 'c')); },
       {"connector_id: is \"" + std::string(128, 'c') + "...\""}},
      {"the connector id in another case",
       [](auto* request) { request->set_connector_id("Me"); },
       {"connector_id: is \"Me\""}},
      // Payloads.
      {"an empty payload", [](auto* request) { request->add_payloads(); }, {"payloads[2]: is empty"}},
      {"nothing but an empty payload",
       [](auto* request) {
         request->clear_payloads();
         request->add_payloads();
       },
       {"payloads[0]: is empty"}},
      {"a stream without content",
       [](auto* request) { request->add_payloads()->mutable_stream(); },
       {"payloads[2].stream.id: is empty", "payloads[2].stream.direction: is unspecified",
        "payloads[2].stream.transport_channel: is empty", "payloads[2].stream.metadata.broker: is missing",
        "payloads[2].stream.metadata.topic: is missing"}},
      // Ids.
      {"an empty id", Id(""), {kS + ".id: is empty"}},
      {"an id of 10 kB", Id(std::string(10'000, 'i')), {kS + ".id: is longer than 1024 bytes"}},
      {"an id twice",
       [](auto* request) { *request->add_payloads() = request->payloads(0); },
       {"payloads[2].stream.id: \"s\" stands already in payloads[0]: ids are unique"}},
      {"an id three times",
       [](auto* request) {
         *request->add_payloads() = request->payloads(0);
         *request->add_payloads() = request->payloads(0);
       },
       {"payloads[2].stream.id: \"s\" stands already in payloads[0]",
        "payloads[3].stream.id: \"s\" stands already in payloads[0]"}},
      {"an id in both directions",
       [](auto* request) {
         *request->add_payloads() = request->payloads(0);
         request->mutable_payloads(2)->mutable_stream()->set_direction(v1::STREAM_DIRECTION_EGRESS);
       },
       {"payloads[2].stream.id: \"s\" stands already"}},
      // Directions.
      {"no direction", DirectionNumber(0), {kS + ".direction: is unspecified: use STREAM_DIRECTION_INGRESS or"}},
      {"a direction of a later contract", DirectionNumber(3), {kS + ".direction: is 3, which is no direction: use"}},
      {"a negative direction", DirectionNumber(-1), {kS + ".direction: is -1, which is no direction"}},
      {"a huge direction", DirectionNumber(2147483647), {kS + ".direction: is 2147483647, which is no direction"}},
      // Channels.
      {"no channel", Channel(""), {kS + ".transport_channel: is empty"}},
      {"a space in the channel", Channel("a b"), {no_space + "1"}},
      {"a space before the channel", Channel(" a"), {no_space + "0"}},
      {"a space behind the channel", Channel("a "), {no_space + "1"}},
      {"a tab in the channel", Channel("a\tb"), {no_space + "1"}},
      {"a line break in the channel", Channel("a\r\nPUB x 1"), {no_space + "1"}},
      {"a NUL in the channel", Channel(std::string("ab\0c", 4)), {no_space + "2"}},
      {"a control character in the channel", Channel("a\x01"), {no_space + "1"}},
      {"a DEL in the channel", Channel("a\x7f"), {no_space + "1"}},
      {"a leading dot", Channel(".a"), {token}},
      {"a trailing dot", Channel("a."), {token}},
      {"two dots in a row", Channel("a..b"), {token}},
      {"a dot alone", Channel("."), {token}},
      {"a channel of 10 kB", Channel(std::string(10'000, 'c')), {kS + ".transport_channel: is longer than 1024 bytes"}},
      {"* for ingress", Channel("a.*"), {kS + ".transport_channel: has a wildcard, but an ingress stream"}},
      {"> for ingress", Channel("a.>"), {kS + ".transport_channel: has a wildcard, but an ingress stream"}},
      {"> alone for ingress", Channel(">"), {kS + ".transport_channel: has a wildcard, but an ingress stream"}},
      {"> in the middle", EgressChannel("a.>.b"), {kS + ".transport_channel: goes on after >"}},
      {"* within a token", EgressChannel("a*"), {kS + ".transport_channel: has a wildcard inside of a token"}},
      {"> within a token", EgressChannel("a.b>"), {kS + ".transport_channel: has a wildcard inside of a token"}},
      {"a space for egress", EgressChannel("a b"), {no_space + "1"}},
      // Metadata that JSON cannot hold.
      {"NaN", MetadataNumber("port", nan), {kM + ".port: is NaN or infinite"}},
      {"infinity", MetadataNumber("port", infinity), {kM + ".port: is NaN or infinite"}},
      {"minus infinity", MetadataNumber("port", -infinity), {kM + ".port: is NaN or infinite"}},
      {"a value without a kind",
       [](auto* request) { (*MetadataOf(request)->mutable_fields())["qos"]; },
       {kM + ".qos: has no value: use null"}},
      {"a list element without a kind",
       [](auto* request) { (*MetadataOf(request)->mutable_fields())["filters"].mutable_list_value()->add_values(); },
       {kM + ".filters[0]: has no value: use null"}},
      {"NaN deep inside",
       [nan](auto* request) {
         auto* list = (*MetadataOf(request)->mutable_fields())["filters"].mutable_list_value();
         (*list->add_values()->mutable_struct_value()->mutable_fields())["a.b"].set_number_value(nan);
       },
       {kM + ".filters[0][\"a.b\"]: is NaN or infinite"}},
      {"two values that JSON cannot hold, and an empty id",
       Both(Id(""), Both(MetadataNumber("port", nan), MetadataNumber("qos", infinity))),
       {kS + ".id: is empty", kM + ".port: is NaN", kM + ".qos: is NaN"}},
      {"lists nested 33 deep, which is more than the host takes",
       [](auto* request) {
         google::protobuf::ListValue* list = (*MetadataOf(request)->mutable_fields())["n"].mutable_list_value();
         for (int i = 2; i < 33; ++i) list = list->add_values()->mutable_list_value();
       },
       {kM + ".n" +
        [] {
          std::string place;
          for (int i = 2; i < 33; ++i) place += "[0]";
          return place;
        }() +
        ": is nested deeper than 32 levels"}},
      {"objects nested 33 deep", Nested(false, 33), {nested}},
      {"objects nested 90 deep", Nested(false, 90), {nested}},
      {"a config nested 33 deep", Nested(true, 33), {Replaced(nested, kM, kC)}},
      // Metadata against the schema.
      {"no metadata",
       [](auto* request) { StreamOf(request)->clear_metadata(); },
       {kM + ".broker: is missing", kM + ".topic: is missing"}},
      {"a missing parameter", NoMetadata("topic"), {kM + ".topic: is missing"}},
      {"an unknown parameter",
       Metadata("brokr", "1"),
       {kM + ".brokr:" + unknown + "broker, topic, qos, port, tls, filters, auth"}},
      {"a number for a string", Metadata("broker", "1"), {kM + ".broker: is an integer, but must be a string"}},
      {"null for a string", Metadata("broker", "null"), {kM + ".broker: is null, but must be a string"}},
      {"a string for a number", Metadata("port", "\"1883\""), {kM + ".port: is a string, but must be an integer"}},
      {"a fraction for an integer", Metadata("port", "1.5"), {kM + ".port: is a number, but must be an integer"}},
      {"a number below the minimum", Metadata("port", "0"), {kM + ".port: is 0, but must be at least 1"}},
      {"a number above the maximum", Metadata("port", "65536"), {kM + ".port: is 65536, but must be at most 65535"}},
      {"a number beyond every integer", Metadata("port", "1e300"), {kM + ".port: is a number, but must be an integer"}},
      {"none of the values", Metadata("qos", "3"), {kM + ".qos: is 3, but must be one of: 0, 1, 2"}},
      {"a text that does not match",
       Metadata("broker", "\"B://\""),
       {kM + ".broker: does not match the pattern ^[a-z]+://"}},
      {"a text too short", Metadata("topic", "\"\""), {kM + ".topic: has 0 characters, but needs at least 1"}},
      {"a text too long",
       Metadata("topic", "\"" + std::string(21, 't') + "\""),
       {kM + ".topic: has 21 characters, but may"}},
      {"a missing parameter of an object", Metadata("tls", "{}"), {kM + ".tls.ca: is missing"}},
      {"an unknown parameter of an object",
       Metadata("tls", R"({"ca":"c","x":1})"),
       {kM + ".tls.x:" + unknown + "ca, verify"}},
      {"wrong elements of an array",
       Metadata("filters", R"([{"field":1},{}])"),
       {kM + ".filters[0].field: is an integer, but must be a string", kM + ".filters[1].field: is missing"}},
      {"too many elements",
       Metadata("filters", R"([{"field":"a"},{"field":"b"},{"field":"c"}])"),
       {kM + ".filters: has 3 elements, but may have at most 2"}},
      {"no alternative",
       Metadata("auth", R"({"user":"u"})"),
       {kM + ".auth: fits none of the plugin's alternatives: .password is"}},
      {"two alternatives", Metadata("auth", R"({"user":"u","password":"p","token":"t"})"), {kM + ".auth: fits 2 of"}},
      {"a huge Struct",
       [](auto* request) {
         for (int i = 0; i < 5'000; ++i)
           (*MetadataOf(request)->mutable_fields())["k" + std::to_string(i)].set_bool_value(true);
       },
       [] {
         std::vector<std::string> violations(32, kM + ".k");
         violations.push_back(kM + ": has more violations: the first 32 are named");
         return violations;
       }()},
      {"a huge text",
       Metadata("topic", "\"" + std::string(1 << 16, 't') + "\""),
       {kM + ".topic: has 65536 characters"}},
      // Config.
      {"an unknown key of the config",
       Config("intervall_ms", "1"),
       {kC + ".intervall_ms:" + unknown + "interval_ms, limits, mode"}},
      {"a config of the wrong type",
       Config("interval_ms", "\"1\""),
       {kC + ".interval_ms: is a string, but must be an integer"}},
      {"a config out of bounds", Config("interval_ms", "9"), {kC + ".interval_ms: is 9, but must be at least 10"}},
      {"a config that is none of the values",
       Config("mode", "\"slow\""),
       {kC + ".mode: is \"slow\", but must be one of: \"fast\""}},
      {"a config with a wrong inner value",
       Config("limits", R"({"a":1,"b":"x"})"),
       {kC + ".limits.b: is a string, but must be a number"}},
      {"a config with NaN",
       [nan](auto* request) { (*ConfigOf(request)->mutable_fields())["x"].set_number_value(nan); },
       {kC + ".x: is NaN or infinite"}},
      {"a config value without a kind",
       [](auto* request) { (*ConfigOf(request)->mutable_fields())["x"]; },
       {kC + ".x: has no value: use null"}},
      {"a null that the config's schema does not take", Config("interval_ms", "null"), {kC + ".interval_ms: is null"}},
      {"the second of two configs",
       [](auto* request) {
         auto* config = request->add_payloads()->mutable_config()->mutable_metadata();
         (*config->mutable_fields())["mode"].set_bool_value(true);
       },
       {"payloads[2].config.metadata.mode: is true, but must be one of"}},
      // Several at once.
      {"everything is wrong at once",
       [](auto* request) {
         request->set_connector_id("you");
         StreamOf(request)->set_id("");
         StreamOf(request)->set_direction(v1::STREAM_DIRECTION_UNSPECIFIED);
         StreamOf(request)->set_transport_channel("a b");
         MetadataOf(request)->mutable_fields()->erase("broker");
         (*ConfigOf(request)->mutable_fields())["interval_ms"].set_bool_value(true);
         request->add_payloads();
       },
       {"connector_id: is \"you\"", kS + ".id: is empty", kS + ".direction: is unspecified", no_space,
        kM + ".broker: is missing", kC + ".interval_ms: is a boolean", "payloads[2]: is empty"}},
      {"one of two streams is wrong",
       [](auto* request) {
         *request->add_payloads() = request->payloads(0);
         request->mutable_payloads(2)->mutable_stream()->set_id("second");
         request->mutable_payloads(2)->mutable_stream()->set_transport_channel("");
       },
       {"payloads[2].stream.transport_channel: is empty"}},
  };
}

Fixture::Options WithSchemas() {
  Fixture::Options options;
  options.descriptor.stream_schema = kStreamSchema;
  options.descriptor.config_schema = kConfigSchema;
  return options;
}

TEST(BadRequests, NameEveryFieldAndChangeNothing) {
  Fixture fixture(WithSchemas());
  ASSERT_EQ(fixture.Set(kGood).code(), v1::RESPONSE_CODE_OK);
  const std::string before = fixture.State();
  const auto rows = Rows();
  ASSERT_GE(rows.size(), 60u);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    auto request = Fixture::FromJson(kGood);
    // Something else than what is set, so that a part that were applied would show.
    (*ConfigOf(&request)->mutable_fields())["interval_ms"].set_number_value(200);
    StreamOf(&request)->set_transport_channel("other");
    row.change(&request);
    const auto status = fixture.Set(request);
    EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
    const auto violations = Violations(status);
    ASSERT_EQ(violations.size(), row.violations.size()) << testing::PrintToString(violations);
    for (std::size_t i = 0; i < violations.size(); ++i) {
      EXPECT_THAT(violations[i], testing::StartsWith(row.violations[i]));
    }
    std::string first = violations.front();
    first.erase(first.find(": "), 1);
    EXPECT_EQ(status.message(), first) << "the message names the first problem";
    EXPECT_EQ(fixture.State(), before);
  }
  EXPECT_EQ(fixture.plant().Do([&] { return fixture.plant().configs.size(); }), 1u);
  EXPECT_TRUE(
      test::Eventually([&] { return fixture.plant().Do([&] { return fixture.plant().creations["s"] == 1; }); }));
}

TEST(BadRequests, ADirectionThatThePluginLacks) {
  for (const bool ingress : {true, false}) {
    auto options = WithSchemas();
    options.descriptor.ingress = ingress;
    options.descriptor.egress = !ingress;
    Fixture fixture(options);
    auto request = Fixture::FromJson(kGood);
    StreamOf(&request)->set_direction(ingress ? v1::STREAM_DIRECTION_EGRESS : v1::STREAM_DIRECTION_INGRESS);
    const std::string what =
        ingress ? "is EGRESS, but the plugin fake has only INGRESS" : "is INGRESS, but the plugin fake has only EGRESS";
    EXPECT_THAT(Violations(fixture.Set(request)), testing::ElementsAre(kS + ".direction: " + what));
    EXPECT_EQ(fixture.Get(v1::PAYLOAD_KIND_STREAM).payloads_size(), 0);
  }
}

TEST(BadRequests, AWrongConnectorIdInTheReadingCalls) {
  Fixture fixture;
  for (const char* id : {"", "you"}) {
    for (const auto& status : {fixture.Get(v1::PAYLOAD_KIND_STREAM, id).status(),
                               fixture.Get(v1::PAYLOAD_KIND_CONFIG, id).status(), fixture.Events(id).status()}) {
      EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
      EXPECT_THAT(Violations(status), testing::ElementsAre(testing::StartsWith("connector_id: is ")));
    }
  }
}

TEST(BadRequests, AnUnknownKind) {
  Fixture fixture;
  for (const int kind : {0, 3, -1}) {
    const auto response = fixture.Get(static_cast<v1::PayloadKind>(kind));
    EXPECT_EQ(response.status().code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
    EXPECT_EQ(response.payloads_size(), 0);
    EXPECT_THAT(
        Violations(response.status()),
        testing::ElementsAre("kind: is " + std::to_string(kind) + ": use PAYLOAD_KIND_STREAM or PAYLOAD_KIND_CONFIG"));
  }
  EXPECT_EQ(Violations(fixture.Get(v1::PAYLOAD_KIND_UNSPECIFIED, "you").status()).size(), 2u) << "id and kind";
}

// The status in the answer to a call with these bytes.
template <typename Response>
v1::ResponseStatus Send(Fixture& fixture, const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(fixture.NewChannel());
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Status status;
  auto call = stub.PrepareUnaryCall(&context, "/connector.v1.ConnectorService/" + method, request, &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
  Response response;
  if (!status.ok()) return {};
  EXPECT_TRUE(grpc::SerializationTraits<Response>::Deserialize(&answer, &response).ok());
  return response.status();
}

// The bytes of a SetPayloadRequest whose metadata are objects in each other, each with the one key "n". protobuf itself
// would take too much stack for it. Made from the end, as what is outside begins with the size of what is inside.
std::string NestedBytes(int levels) {
  std::string reversed;
  const auto wrap = [&reversed](char tag) {
    std::string size;
    for (std::size_t rest = reversed.size(); size.empty() || rest > 0; rest >>= 7) {
      size += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
    }
    reversed.append(size.rbegin(), size.rend());
    reversed += tag;
  };
  for (int i = 1; i < levels; ++i) {
    wrap(0x2a);             // Value.struct_value
    wrap(0x12);             // the value of the entry
    reversed += "n\x01\n";  // and its key
    wrap(0x0a);             // Struct.fields
  }
  wrap(0x32);  // Stream.metadata
  wrap(0x12);  // Payload.stream
  wrap(0x12);  // SetPayloadRequest.payloads
  return {reversed.rbegin(), reversed.rend()};
}

TEST(BadRequests, WhatCannotBeParsedIsToldInTheAnswer) {
  Fixture fixture(WithSchemas());
  ASSERT_EQ(fixture.Set(kGood).code(), v1::RESPONSE_CODE_OK);
  const std::string before = fixture.State();
  auto text = Fixture::FromJson(kGood);
  StreamOf(&text)->set_id("AAAA");
  (*MetadataOf(&text)->mutable_fields())["BBBB"].mutable_list_value()->add_values()->set_bool_value(true);
  auto* list = (*MetadataOf(&text)->mutable_fields())["BBBB"].mutable_list_value();
  (*list->add_values()->mutable_struct_value()->mutable_fields())["CCCC"].set_string_value("DDDD");
  const std::string good = text.SerializeAsString();
  const std::string no_utf8 = ": is no UTF-8: send other bytes encoded, as in base64";
  const std::string no_request =
      "request: is no connector.v1.SetPayloadRequest: it is cut, or another message; send one as connector.proto";
  struct Case {
    std::string name;
    std::string bytes;
    std::string violation;
  };
  const Case cases[] = {
      {"objects nested 150 deep", NestedBytes(150), NestedTooDeep()},
      {"objects nested 1,000 deep", NestedBytes(1'000), NestedTooDeep()},
      {"objects nested 100,000 deep", NestedBytes(100'000), NestedTooDeep()},
      {"an id that is no UTF-8", Replaced(good, "AAAA", "AA\xffZ"), kS + ".id" + no_utf8},
      {"a value that is no UTF-8", Replaced(good, "DDDD", "\xc0\x80ZZ"), kM + ".BBBB[1].CCCC" + no_utf8},
      {"a key that is no UTF-8", Replaced(good, "CCCC", "\xed\xa0\x80Z"), kM + ".BBBB[1]: has a key that is no UTF-8"},
      {"no protobuf", "\xff\xff\xff\xff", no_request},
      {"half a message", good.substr(0, 20), no_request},
      {"a size beyond the end", std::string("\x12\xff\xff\xff\xff\x7f", 6), no_request},
      {"an end of a group that has not begun", "\x1c", no_request},
      {"unknown groups nested 1,000,000 deep", std::string(1'000'000, '\x1b'), no_request},
  };
  for (const auto& [name, bytes, violation] : cases) {
    SCOPED_TRACE(name);
    const auto status = Send<v1::SetPayloadResponse>(fixture, "SetPayload", bytes);
    EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
    EXPECT_THAT(Violations(status), testing::ElementsAre(testing::StartsWith(violation)));
    EXPECT_EQ(fixture.State(), before);
  }
  const std::string no_id = "\x0a\x02\xff\xff";
  for (const auto& status : {Send<v1::GetPayloadResponse>(fixture, "GetPayload", no_id),
                             Send<v1::GetEventsResponse>(fixture, "GetEvents", no_id)}) {
    EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
    EXPECT_THAT(Violations(status), testing::ElementsAre("connector_id" + no_utf8));
  }
}

TEST(BadRequests, MetadataNestedTooDeepAreNamedWithAllElseThatIsWrong) {
  Fixture fixture;
  for (const int levels : {33, 90, 130}) {
    const auto status = Send<v1::SetPayloadResponse>(fixture, "SetPayload", NestedBytes(levels));
    EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT);
    EXPECT_THAT(Violations(status),
                testing::UnorderedElementsAre(NestedTooDeep(), testing::StartsWith("connector_id: "),
                                              testing::StartsWith(kS + ".id: is empty"),
                                              testing::StartsWith(kS + ".direction: is unspecified"),
                                              testing::StartsWith(kS + ".transport_channel: is empty")))
        << levels;
  }
}

TEST(BadRequests, MetadataNested32DeepComesBackAsItWent) {
  Fixture fixture;
  for (const bool in_config : {false, true}) {
    auto request = Fixture::FromJson(kGood);
    Nested(in_config, 32)(&request);
    ASSERT_EQ(fixture.Set(request).code(), v1::RESPONSE_CODE_OK);
    const auto streams = fixture.Get(v1::PAYLOAD_KIND_STREAM);
    const auto config = fixture.Get(v1::PAYLOAD_KIND_CONFIG);
    EXPECT_EQ(OneLine(in_config ? config.payloads(0).config().metadata() : streams.payloads(0).stream().metadata()),
              OneLine(in_config ? *ConfigOf(&request) : *MetadataOf(&request)));
  }
}

}  // namespace
}  // namespace kps::test
