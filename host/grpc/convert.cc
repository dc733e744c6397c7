#include "host/grpc/convert.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "connector/v1/connector.pb.h"
#include "google/rpc/error_details.pb.h"
#include "host/core/json.h"

namespace kps {
namespace {

namespace pb = connector::v1;
using google::protobuf::Value;

// Appends the JSON of `value`; the answer is empty, or says what is wrong with what.
std::string AppendValue(const Value& value, const std::string& path, std::string* json);

std::string AppendNumber(double number, const std::string& path, std::string* json) {
  if (!std::isfinite(number)) return path + " is NaN or infinite, which JSON cannot hold";
  constexpr double kExact = 9007199254740992.0;  // 2^53: up to here every integer is a double
  char text[32];
  const bool whole = std::trunc(number) == number && std::abs(number) <= kExact;
  const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(number))
                         : std::to_chars(text, text + sizeof text, number);
  json->append(text, end.ptr);
  return {};
}

std::string AppendObject(const google::protobuf::Struct& object, const std::string& path, std::string* json) {
  std::map<std::string, const Value*> sorted;
  for (const auto& [key, value] : object.fields()) sorted.emplace(key, &value);
  *json += '{';
  bool first = true;
  for (const auto& [key, value] : sorted) {
    if (!std::exchange(first, false)) *json += ',';
    *json += JsonString(key) + ':';
    if (auto wrong = AppendValue(*value, path + '.' + key, json); !wrong.empty()) return wrong;
  }
  *json += '}';
  return {};
}

std::string AppendValue(const Value& value, const std::string& path, std::string* json) {
  switch (value.kind_case()) {
    case Value::kNullValue: *json += "null"; return {};
    case Value::kNumberValue: return AppendNumber(value.number_value(), path, json);
    case Value::kStringValue: *json += JsonString(value.string_value()); return {};
    case Value::kBoolValue: *json += value.bool_value() ? "true" : "false"; return {};
    case Value::kStructValue: return AppendObject(value.struct_value(), path, json);
    case Value::kListValue: break;
    case Value::KIND_NOT_SET: return path + " has no value: use null";
  }
  *json += '[';
  for (int i = 0; i < value.list_value().values_size(); ++i) {
    if (i > 0) *json += ',';
    auto wrong = AppendValue(value.list_value().values(i), path + '[' + std::to_string(i) + ']', json);
    if (!wrong.empty()) return wrong;
  }
  *json += ']';
  return {};
}

void SetTimestamp(std::int64_t ns, google::protobuf::Timestamp* timestamp) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  timestamp->set_seconds(ns / kNsPerSecond);
  timestamp->set_nanos(static_cast<std::int32_t>(ns % kNsPerSecond));
}

template <typename Message>
void FillEvent(const Event& event, Message* message) {
  message->set_id(event.id);
  message->set_stream_id(event.stream_id);
  message->set_message(event.message);
  message->set_state(static_cast<pb::State>(event.state));
  SetTimestamp(event.created_at_ns, message->mutable_created_at());
  JsonToStruct(event.metadata_json, message->mutable_metadata());
}

}  // namespace

Result<std::string> StructToJson(const google::protobuf::Struct& metadata) {
  std::string json;
  if (auto wrong = AppendObject(metadata, "metadata", &json); !wrong.empty()) {
    return Error(Code::kInvalidArgument, std::move(wrong));
  }
  return json;
}

void JsonToStruct(const std::string& json, google::protobuf::Struct* metadata) {
  metadata->Clear();
  if (json.empty()) return;
  // Core's JSON is valid; a failure leaves an empty Struct.
  if (!google::protobuf::util::JsonStringToMessage(json, metadata).ok()) metadata->Clear();
}

SetPayloadCommand ToCommand(const pb::SetPayloadRequest& request, std::vector<Violation>* violations) {
  SetPayloadCommand command;
  command.connector_id = request.connector_id();
  for (int i = 0; i < request.payloads_size(); ++i) {
    const pb::Payload& payload = request.payloads(i);
    auto& item = command.payloads.emplace_back();
    if (!payload.has_config() && !payload.has_stream()) continue;
    const bool is_stream = payload.has_stream();
    const std::string path = "payloads[" + std::to_string(i) + "]." + (is_stream ? "stream" : "config");
    auto json = StructToJson(is_stream ? payload.stream().metadata() : payload.config().metadata());
    if (!json.ok()) violations->push_back({path, json.error().message()});
    const std::string text = json.ok() ? json.value() : "{}";
    if (is_stream) {
      const pb::Stream& stream = payload.stream();
      // An unknown number of the open enum means no direction that exists.
      const bool known = pb::StreamDirection_IsValid(stream.direction());
      item = StreamSpec{stream.id(), known ? static_cast<Direction>(stream.direction()) : Direction::kUnspecified,
                        stream.transport_channel(), text};
    } else {
      auto members = ParseJsonObject(text);
      item = ConfigPatch{members.ok() ? members.value() : JsonMembers()};
    }
  }
  return command;
}

void FromStreamView(const Runtime::StreamView& view, pb::Stream* stream) {
  stream->set_id(view.stream.id);
  stream->set_subscribed(view.subscribed);
  stream->set_discovered(view.discovered);
  stream->set_direction(static_cast<pb::StreamDirection>(view.stream.direction));
  stream->set_transport_channel(view.stream.channel);
  JsonToStruct(view.stream.metadata_json, stream->mutable_metadata());
}

void FromEvent(const Event& event, pb::EventPayload* payload) {
  if (event.kind == EventKind::kAlert) {
    FillEvent(event, payload->mutable_alert());
    payload->mutable_alert()->set_severity(static_cast<pb::Severity>(event.severity));
  } else {
    FillEvent(event, payload->mutable_status());
  }
}

void FromOutcome(const Error& error, const std::vector<Violation>& violations, pb::ResponseStatus* status) {
  status->set_code(static_cast<pb::ResponseCode>(error.code()));
  status->set_message(error.message());
  if (violations.empty()) return;
  google::rpc::BadRequest details;
  for (const Violation& violation : violations) {
    auto* entry = details.add_field_violations();
    entry->set_field(violation.field);
    entry->set_description(violation.description);
  }
  status->add_details()->PackFrom(details);
}

}  // namespace kps
