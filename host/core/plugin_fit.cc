#include "host/core/plugin_fit.h"

#include <utility>
#include <variant>

namespace kps {
namespace {

Error Prefixed(const std::string& prefix, const Error& error) { return Error(error.code(), prefix + error.message()); }

}  // namespace

Result<Rules> MakeRules(const std::string& connector_id, const PluginDescriptor& descriptor) {
  Rules rules{connector_id, descriptor.name, descriptor.ingress, descriptor.egress, {}, {}};
  auto config_schema = Schema::Parse(descriptor.config_schema);
  if (!config_schema.ok())
    return Prefixed("the config_schema of plugin " + descriptor.name + ": ", config_schema.error());
  auto stream_schema = Schema::Parse(descriptor.stream_schema);
  if (!stream_schema.ok())
    return Prefixed("the stream_schema of plugin " + descriptor.name + ": ", stream_schema.error());
  rules.config_schema = std::move(config_schema.value());
  rules.stream_schema = std::move(stream_schema.value());
  return rules;
}

Error CheckStaticParameters(const std::string& static_json, const PluginDescriptor& descriptor) {
  if (auto parsed = ParseJsonObject(static_json); !parsed.ok()) return Prefixed("static parameters: ", parsed.error());
  auto schema = Schema::Parse(descriptor.static_schema);
  if (!schema.ok()) return Prefixed("the static_schema of plugin " + descriptor.name + ": ", schema.error());
  std::string all;
  for (const Violation& violation : schema.value().Check(static_json, "static parameters")) {
    all += (all.empty() ? "" : "; ") + violation.field + ' ' + violation.description;
  }
  return all.empty() ? Error() : Error(Code::kInvalidArgument, all);
}

SetPayloadCommand CommandFor(const std::string& connector_id, const JsonMembers& config, const StreamMap& streams) {
  SetPayloadCommand command{connector_id, {ConfigPatch{config}}};
  for (const auto& [id, stream] : streams) command.payloads.emplace_back(stream);
  return command;
}

std::string Told(const Violation& violation, const SetPayloadCommand& command) {
  for (std::size_t i = 0; i < command.payloads.size(); ++i) {
    const std::string place = ElementPlace("payloads", i) + ".stream";
    const auto* stream = std::get_if<StreamSpec>(&command.payloads[i]);
    if (stream == nullptr || !violation.field.starts_with(place)) continue;
    return "stream " + JsonString(stream->id) + violation.field.substr(place.size()) + ' ' + violation.description;
  }
  return "the config " + violation.description;
}

}  // namespace kps
