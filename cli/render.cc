#include "cli/render.h"

#include <google/protobuf/util/json_util.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>

#include "connector/v1/connector.pb.h"
#include "google/rpc/error_details.pb.h"
#include "kps/host/v1/plugin.pb.h"

namespace kps::cli {
namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void WriteStruct(const google::protobuf::Struct& object, JsonWriter* writer);

void WriteValue(const google::protobuf::Value& value, JsonWriter* writer) {
  constexpr double kExactIntegerMax = 9007199254740992.0;  // 2^53
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue: {
      const double number = value.number_value();
      if (std::abs(number) <= kExactIntegerMax && std::trunc(number) == number) {
        writer->Int64(static_cast<std::int64_t>(number));  // "1883", not "1883.0"
      } else if (!writer->Double(number)) {
        writer->Null();  // not finite: no JSON for it
      }
      break;
    }
    case google::protobuf::Value::kStringValue:
      writer->String(value.string_value().data(), static_cast<rapidjson::SizeType>(value.string_value().size()));
      break;
    case google::protobuf::Value::kBoolValue: writer->Bool(value.bool_value()); break;
    case google::protobuf::Value::kStructValue: WriteStruct(value.struct_value(), writer); break;
    case google::protobuf::Value::kListValue:
      writer->StartArray();
      for (const auto& element : value.list_value().values()) WriteValue(element, writer);
      writer->EndArray();
      break;
    default: writer->Null();
  }
}

void WriteStruct(const google::protobuf::Struct& object, JsonWriter* writer) {
  std::map<std::string_view, const google::protobuf::Value*> sorted;
  for (const auto& [key, value] : object.fields()) sorted.emplace(key, &value);
  writer->StartObject();
  for (const auto& [key, value] : sorted) {
    writer->Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    WriteValue(*value, writer);
  }
  writer->EndObject();
}

std::string CompactJsonValue(const google::protobuf::Value& value) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  WriteValue(value, &writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  const std::time_t seconds = time.seconds();
  std::tm parts{};
  char text[64];
  if (gmtime_r(&seconds, &parts) == nullptr) return "-";
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string milliseconds = std::to_string(std::clamp(time.nanos(), 0, 999'999'999) / 1'000'000);
  milliseconds.insert(0, 3 - milliseconds.size(), '0');
  return std::string(text, length) + "." + milliseconds + "Z";
}

Result<std::string> Json(const google::protobuf::Message& message, bool add_whitespace) {
  google::rpc::BadRequest::default_instance();  // linked in, so that an Any of it can be printed
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = add_whitespace;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!printed.ok()) {  // an Any of a type that is not linked in, or a time out of range
    return Failure{kExitRefused, "the response has no JSON form: " + std::string(printed.message())};
  }
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

template <typename Event>
std::vector<std::string> Row(const Event& event, const char* kind, const std::string& severity) {
  std::string message = Printable(event.message());
  const auto error = event.metadata().fields().find("ErrorMessage");
  if (error != event.metadata().fields().end() && !error->second.string_value().empty()) {
    message += (message.empty() ? "" : ": ") + Printable(error->second.string_value());
  }
  return {event.has_created_at() ? TimeText(event.created_at()) : "-",
          kind,
          OrDash(event.id()),
          OrDash(event.stream_id()),
          OrDash(ShortEnumName(v1::State_Name(event.state()), "STATE_")),
          severity,
          message};
}

}  // namespace

std::string StreamsTable(const v1::GetPayloadResponse& response, std::size_t row_width_max) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::Payload& payload : response.payloads()) {
    if (!payload.has_stream()) continue;
    const v1::Stream& stream = payload.stream();
    rows.push_back({OrDash(stream.id()),
                    OrDash(ShortEnumName(v1::StreamDirection_Name(stream.direction()), "STREAM_DIRECTION_")),
                    OrDash(stream.transport_channel()),
                    stream.subscribed()   ? "running"
                    : stream.discovered() ? "discovered"
                                          : "waiting",
                    CompactJson(stream.metadata())});
  }
  return Table({"ID", "DIRECTION", "CHANNEL", "STATE", "METADATA"}, row_width_max).Print(rows);
}

std::string ConfigTable(const v1::GetPayloadResponse& response, std::size_t row_width_max) {
  std::map<std::string, std::string> sorted;
  for (const v1::Payload& payload : response.payloads()) {
    for (const auto& [key, value] : payload.config().metadata().fields()) {
      sorted[Printable(key)] = Printable(CompactJsonValue(value));
    }
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(sorted.size());
  for (const auto& [key, value] : sorted) rows.push_back({key, value});
  return Table({"KEY", "VALUE"}, row_width_max).Print(rows);
}

std::string PluginTable(const host::v1::PluginStatus& status, std::size_t row_width_max) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const char* name, const std::string& value) { rows.push_back({name, OrDash(value)}); };
  add("generation", std::to_string(status.generation()));
  add("file", status.file() + (status.watching() ? " (watched)" : ""));
  add("loaded from", status.loaded_file());
  add("loaded at", TimeText(status.loaded_at()));
  add("build id", status.build_id());
  add("sha256", status.sha256());
  add("resident", std::to_string(status.resident()) + " of at most " + std::to_string(status.resident_max()));
  add("swaps", std::to_string(status.swaps()) + ", " + std::to_string(status.failures()) + " failed");
  if (status.has_last_swap()) {
    const host::v1::PluginSwap& swap = status.last_swap();
    const double pause_ms = static_cast<double>(swap.pause_max().seconds()) * 1e3 + swap.pause_max().nanos() / 1e6;
    char pause[32];
    std::snprintf(pause, sizeof pause, "%.1f ms", pause_ms);
    add("last swap", TimeText(swap.at()) + " " + swap.from_version() + " -> " + swap.to_version() + ", " +
                         std::to_string(swap.streams()) + " streams, pause " + pause + ", messages lost " +
                         std::to_string(swap.dropped()));
  }
  if (status.has_last_failure()) {
    add("last failure", TimeText(status.last_failure().at()) + " " + status.last_failure().reason());
  }
  return Table({"PLUGIN", OrDash(status.name() + " " + status.version())}, row_width_max).Print(rows);
}

Table EventsTable(std::size_t row_width_max) {
  return {{"TIME", "KIND", "ID", "STREAM", "STATE", "SEVERITY", "MESSAGE"}, row_width_max};
}

std::vector<std::string> EventRow(const v1::EventPayload& event) {
  if (event.has_alert()) {
    return Row(event.alert(), "alert", OrDash(ShortEnumName(v1::Severity_Name(event.alert().severity()), "SEVERITY_")));
  }
  return Row(event.status(), "status", "-");
}

Result<std::string> JsonLines(const google::protobuf::Message& message) { return Json(message, true); }
Result<std::string> JsonLine(const google::protobuf::Message& message) { return Json(message, false); }

std::string CompactJson(const google::protobuf::Struct& metadata) {
  google::protobuf::Value value;
  *value.mutable_struct_value() = metadata;
  return Printable(CompactJsonValue(value));
}

std::string ShortEnumName(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  return std::string(name);
}

}  // namespace kps::cli
