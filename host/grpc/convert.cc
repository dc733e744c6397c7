#include "host/grpc/convert.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "connector/v1/connector.pb.h"
#include "google/rpc/error_details.pb.h"
#include "host/core/json.h"
#include "host/grpc/json_complaint.h"

namespace kps {
namespace {

namespace pb = connector::v1;
using google::protobuf::Value;

// Writes a Struct as JSON, and what cannot be written as violations.
class JsonText {
 public:
  explicit JsonText(std::vector<Violation>* violations) : violations_(violations) {}

  std::string Take() { return std::move(json_); }

  void Append(const google::protobuf::Struct& object, const std::string& place, int depth) {
    std::map<std::string_view, const Value*> sorted;
    for (const auto& [key, value] : object.fields()) sorted.emplace(key, &value);
    json_ += '{';
    bool first = true;
    for (const auto& [key, value] : sorted) {
      if (!std::exchange(first, false)) json_ += ',';
      json_ += JsonString(key) + ':';
      AppendValue(*value, MemberPlace(place, key), depth + 1);
    }
    json_ += '}';
  }

 private:
  void AppendValue(const Value& value, const std::string& place, int depth) {
    switch (value.kind_case()) {
      case Value::kNullValue: json_ += "null"; return;
      case Value::kNumberValue: return AppendNumber(value.number_value(), place);
      case Value::kStringValue: json_ += JsonString(value.string_value()); return;
      case Value::kBoolValue: json_ += value.bool_value() ? "true" : "false"; return;
      case Value::KIND_NOT_SET: return Refuse(place, "has no value: use null");
      default: break;
    }
    if (depth > kMetadataDepthMax) return Refuse(place, NestedTooDeep());
    if (value.has_struct_value()) return Append(value.struct_value(), place, depth);
    json_ += '[';
    for (int i = 0; i < value.list_value().values_size(); ++i) {
      if (i > 0) json_ += ',';
      AppendValue(value.list_value().values(i), ElementPlace(place, static_cast<std::size_t>(i)), depth + 1);
    }
    json_ += ']';
  }

  void AppendNumber(double number, const std::string& place) {
    if (!std::isfinite(number)) return Refuse(place, "is NaN or infinite, which JSON cannot hold");
    constexpr double kExact = 9007199254740992.0;  // 2^53: up to here every integer is a double
    char text[32];
    const bool whole = std::trunc(number) == number && std::abs(number) <= kExact;
    const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(number))
                           : std::to_chars(text, text + sizeof text, number);
    json_.append(text, end.ptr);
  }

  void Refuse(const std::string& place, std::string why) {
    json_ += "null";
    const std::size_t named = violations_->size();
    if (named == Schema::kViolationsMax) why += "; there are more of this kind, which are not named";
    if (named <= Schema::kViolationsMax) violations_->push_back({place, std::move(why)});
  }

  std::vector<Violation>* const violations_;
  std::string json_;
};

// Deeper than this a client could not read it, nor the whole answer that it is in.
void CutDepth(google::protobuf::Struct* object, int depth);

void CutDepth(Value* value, int depth) {
  if (!value->has_struct_value() && !value->has_list_value()) return;
  if (depth > kMetadataDepthMax) {
    value->set_string_value("(nested deeper than " + std::to_string(kMetadataDepthMax) + " levels)");
  } else if (value->has_struct_value()) {
    CutDepth(value->mutable_struct_value(), depth);
  } else {
    for (Value& element : *value->mutable_list_value()->mutable_values()) CutDepth(&element, depth + 1);
  }
}

void CutDepth(google::protobuf::Struct* object, int depth) {
  for (auto& [key, value] : *object->mutable_fields()) CutDepth(&value, depth + 1);
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

std::string NestedTooDeep() { return "is nested deeper than " + std::to_string(kMetadataDepthMax) + " levels"; }

std::string StructToJson(const google::protobuf::Struct& metadata, const std::string& place,
                         std::vector<Violation>* violations) {
  JsonText text(violations);
  text.Append(metadata, place, 1);
  return text.Take();
}

void JsonToStruct(const std::string& json, google::protobuf::Struct* metadata) {
  metadata->Clear();
  if (json.empty()) return;
  // Core's JSON is valid; a failure leaves an empty Struct.
  if (!google::protobuf::util::JsonStringToMessage(json, metadata).ok()) metadata->Clear();
  CutDepth(metadata, 1);
}

SetPayloadCommand ToCommand(const pb::SetPayloadRequest& request) {
  SetPayloadCommand command;
  command.connector_id = request.connector_id();
  command.payloads.reserve(static_cast<std::size_t>(request.payloads_size()));
  for (const pb::Payload& payload : request.payloads()) {
    const std::size_t index = command.payloads.size();
    auto& item = command.payloads.emplace_back();
    if (!payload.has_config() && !payload.has_stream()) continue;
    const bool is_stream = payload.has_stream();
    const std::string place = ElementPlace("payloads", index) + (is_stream ? ".stream" : ".config") + ".metadata";
    std::vector<Violation> violations;
    std::string json =
        StructToJson(is_stream ? payload.stream().metadata() : payload.config().metadata(), place, &violations);
    for (Violation& violation : violations) command.unreadable.emplace(index, std::move(violation));
    if (is_stream) {
      const pb::Stream& stream = payload.stream();
      // The enum is open: a number that is no direction goes on as it is, and is refused by its number.
      item = StreamSpec{stream.id(), static_cast<Direction>(stream.direction()), stream.transport_channel(),
                        std::move(json)};
    } else {
      auto members = ParseJsonObject(json);
      item = ConfigPatch{members.ok() ? std::move(members.value()) : JsonMembers()};
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
