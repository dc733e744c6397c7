// Any bytes as two SetPayload requests, one after the other: parse, convert, validate, plan. The bytes before the
// separator are the first request; without one, all bytes are the second.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connector/v1/connector.pb.h"
#include "host/core/json.h"
#include "host/core/plan.h"
#include "host/core/validate.h"
#include "host/grpc/convert.h"
#include "host/grpc/parse_request.h"
#include "tests/fuzz/check.h"

namespace kps {
namespace {

namespace pb = connector::v1;

constexpr std::string_view kSeparator = "\n----\n";

// As plugins write them: types, bounds, enums, patterns, arrays, objects in objects, required and forbidden members.
constexpr char kStreamSchema[] = R"({
  "type": "object",
  "properties": {
    "broker": {"type": "string", "pattern": "^tcp://[a-z0-9.]+:[0-9]+$"},
    "topic": {"type": "string", "minLength": 1, "maxLength": 64},
    "qos": {"type": "integer", "minimum": 0, "maximum": 2},
    "mode": {"enum": ["raw", "json", null, 3]},
    "rate": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4, "uniqueItems": true},
    "tls": {"type": "object", "properties": {"ca": {"type": "string"}, "verify": {"type": "boolean"}},
            "required": ["ca"], "additionalProperties": false},
    "either": {"oneOf": [{"type": "string"}, {"type": "integer", "multipleOf": 5}]}
  },
  "required": ["topic"],
  "additionalProperties": false
})";
constexpr char kConfigSchema[] = R"({
  "type": "object",
  "properties": {"log_level": {"enum": ["DEBUG", "INFO", "WARN", "ERROR"]}, "limit": {"type": "integer", "minimum": 1}},
  "additionalProperties": {"type": ["string", "null"]}
})";

Schema Compile(const char* text) {
  auto schema = Schema::Parse(text);
  KPS_FUZZ_CHECK(schema.ok());
  return schema.value();
}

const Rules& TheRules() {
  static const Rules rules{"me", "fuzzed", true, true, Compile(kConfigSchema), Compile(kStreamSchema)};
  return rules;
}

// What a client is told can be told: every part is there, and the answer is sound protobuf (strings are UTF-8).
void CheckAnswer(const std::vector<Violation>& violations) {
  for (const Violation& violation : violations) {
    KPS_FUZZ_CHECK(!violation.field.empty() && !violation.description.empty());
  }
  if (violations.empty()) return;
  pb::ResponseStatus status;
  FromOutcome(Error(Code::kInvalidArgument, violations.front().field + " " + violations.front().description),
              violations, &status);
  pb::ResponseStatus received;
  KPS_FUZZ_CHECK(received.ParseFromString(status.SerializeAsString()));
}

// What is JSON by name is JSON, and nothing of it is missing or another number.
void CheckMetadata(const google::protobuf::Struct& metadata) {
  std::vector<Violation> unreadable;
  const std::string json = StructToJson(metadata, "metadata", &unreadable);
  const auto members = ParseJsonObject(json);
  KPS_FUZZ_CHECK(members.ok());
  if (!unreadable.empty()) return;
  google::protobuf::Struct again;
  JsonToStruct(ToJson(members.value()), &again);
  KPS_FUZZ_CHECK(StructToJson(again, "metadata", &unreadable) == json);
}

// A subject as NATS wants it; for what is published, without wildcards.
void CheckSubject(const std::string& channel, bool published) {
  const std::string dots = "." + channel + ".";
  KPS_FUZZ_CHECK(dots.find("..") == dots.npos);
  for (const char c : channel) KPS_FUZZ_CHECK(static_cast<unsigned char>(c) > ' ' && c != 0x7F);
  for (std::size_t at = dots.find_first_of("*>"); at != dots.npos; at = dots.find_first_of("*>", at + 1)) {
    KPS_FUZZ_CHECK(!published && dots[at - 1] == '.' && dots[at + 1] == '.');
    KPS_FUZZ_CHECK(dots[at] == '*' || at + 2 == dots.size());
  }
}

void CheckStream(const StreamSpec& stream) {
  KPS_FUZZ_CHECK(!stream.id.empty());
  KPS_FUZZ_CHECK(stream.direction == Direction::kIngress || stream.direction == Direction::kEgress);
  CheckSubject(stream.channel, stream.direction == Direction::kIngress);
  // What is shown in GetPayload is what was set, to the last digit.
  pb::Stream shown;
  FromStreamView({stream, false, false}, &shown);
  std::vector<Violation> unreadable;
  KPS_FUZZ_CHECK(StructToJson(shown.metadata(), "metadata", &unreadable) == stream.metadata_json);
  KPS_FUZZ_CHECK(unreadable.empty());
}

// The streams of a request that is valid; nothing of one that is not.
StreamMap Streams(const pb::SetPayloadRequest& request) {
  for (const pb::Payload& payload : request.payloads()) {
    CheckMetadata(payload.has_stream() ? payload.stream().metadata() : payload.config().metadata());
  }
  const SetPayloadCommand command = ToCommand(request);
  KPS_FUZZ_CHECK(command.payloads.size() == static_cast<std::size_t>(request.payloads_size()));
  const std::vector<Violation> violations = Validate(command, TheRules(), {});
  KPS_FUZZ_CHECK(command.unreadable.empty() || !violations.empty());
  CheckAnswer(violations);
  if (!violations.empty()) return {};
  KPS_FUZZ_CHECK(request.connector_id() == TheRules().connector_id);
  StreamMap streams;
  for (const auto& payload : command.payloads) {
    KPS_FUZZ_CHECK(!std::holds_alternative<std::monostate>(payload));
    const auto* stream = std::get_if<StreamSpec>(&payload);
    if (stream == nullptr) continue;
    CheckStream(*stream);
    KPS_FUZZ_CHECK(streams.emplace(stream->id, *stream).second);
  }
  const JsonMembers config = MergedConfig(command, {});
  KPS_FUZZ_CHECK(MergedConfig(command, config) == config);
  return streams;
}

// The plan names each id once, in the right list, and leads from `current` to `desired`.
void CheckPlan(const StreamMap& current, const StreamMap& desired) {
  const Plan plan = PlanStreams(current, desired);
  std::set<std::string> named;
  StreamMap reached = current;
  const auto name = [&](const std::string& id) { KPS_FUZZ_CHECK(named.insert(id).second); };
  for (const std::string& id : plan.stop) {
    name(id);
    KPS_FUZZ_CHECK(reached.erase(id) == 1);
  }
  for (const std::string& id : plan.start) {
    name(id);
    KPS_FUZZ_CHECK(reached.emplace(id, desired.at(id)).second);
  }
  for (const std::string& id : plan.restart) {
    name(id);
    KPS_FUZZ_CHECK(current.at(id) != desired.at(id));
    reached.at(id) = desired.at(id);
  }
  for (const std::string& id : plan.keep) name(id);
  KPS_FUZZ_CHECK(reached == desired);
  for (const auto& [id, stream] : current) KPS_FUZZ_CHECK(named.contains(id));
  KPS_FUZZ_CHECK(named.size() >= desired.size());
}

// Whatever ran before: as a fuzzer hardly ever finds two requests that differ in one part of one stream, the former
// streams are made from the desired ones, and each stream takes each of these turns.
void CheckPlansFromNearby(const StreamMap& desired) {
  enum Turn { kSame, kAbsent, kOtherDirection, kOtherChannel, kOtherMetadata, kTurns };
  for (int first = 0; first < kTurns; ++first) {
    StreamMap current{{"\x01 gone", {"\x01 gone", Direction::kIngress, "c", "{}"}}};
    int turn = first;
    for (const auto& [id, stream] : desired) {
      StreamSpec former = stream;
      if (turn == kOtherDirection) {
        former.direction = stream.direction == Direction::kIngress ? Direction::kEgress : Direction::kIngress;
      }
      if (turn == kOtherChannel) former.channel += ".x";
      if (turn == kOtherMetadata) former.metadata_json += " ";
      if (turn != kAbsent) current.insert_or_assign(id, former);
      turn = (turn + 1) % kTurns;
    }
    CheckPlan(current, desired);
  }
}

}  // namespace
}  // namespace kps

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t at = bytes.find(kps::kSeparator);
  const std::string_view first = at == bytes.npos ? std::string_view() : bytes.substr(0, at);
  const std::string_view second = at == bytes.npos ? bytes : bytes.substr(at + kps::kSeparator.size());
  kps::StreamMap streams[2];
  const std::string_view requests[] = {first, second};
  for (int i = 0; i < 2; ++i) {
    kps::pb::SetPayloadRequest request;
    if (const auto violation = kps::ParseRequest(requests[i], &request)) {
      kps::CheckAnswer({*violation});
      return 0;
    }
    streams[i] = kps::Streams(request);
  }
  kps::CheckPlan(streams[0], streams[1]);
  kps::CheckPlansFromNearby(streams[1]);
  return 0;
}
