#include "cli/kit/check/check_parameters.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/kit/schema_sample.h"
#include "host/core/json.h"
#include "host/core/schema.h"

namespace kps::cli {
namespace {

// The text of `argument`: itself where it is meant to be JSON, else that of the file.
Result<std::string> TextOf(const std::string& argument, std::string* name) {
  *name = "the command line";
  const auto first = argument.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && argument[first] == '{') return argument;
  *name = argument;
  std::error_code ignored;
  errno = std::filesystem::is_directory(argument, ignored) ? EISDIR : 0;
  std::ifstream file;
  if (errno == 0) file.open(argument, std::ios::binary);
  if (!file.is_open()) return Failure{kExitUsage, "cannot read " + argument + ": " + std::strerror(errno)};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<JsonMembers> ObjectOf(const std::string& argument, std::string* name) {
  const auto text = TextOf(argument, name);
  if (!text.ok()) return text.failure();
  auto object = ParseJsonObject(text.value());
  if (!object.ok()) return Failure{kExitUsage, *name + ": " + object.error().message()};
  return std::move(object.value());
}

Result<std::string> Validated(std::string json, const std::string& schema, const std::string& name) {
  const auto parsed = Schema::Parse(schema);
  if (!parsed.ok()) return json;  // a rule of its own
  const auto violations = parsed.value().Check(json, "");
  if (violations.empty()) return json;
  std::string place = violations.front().field;
  if (!place.empty() && place.front() == '.') place.erase(0, 1);
  return Failure{kExitUsage, name + ": " + (place.empty() ? "" : place + " ") + violations.front().description};
}

// `option` gives them otherwise. A schema that cannot be checked is a matter of the rules.
Result<std::string> MadeUp(const std::string& schema, const std::string& option) {
  if (!Schema::Parse(schema).ok()) return std::string("{}");
  auto sample = SampleOf(schema);
  if (sample.ok()) return sample;
  return Failure{kExitUsage, sample.failure().text + ", or them with " + option};
}

Result<std::string> Choose(const std::string& argument, const std::string& schema, const char* member,
                           const std::string& option) {
  if (argument.empty()) return MadeUp(schema, option);
  std::string name;
  auto object = ObjectOf(argument, &name);
  if (!object.ok()) return object.failure();
  const auto inner = object.value().find(member);
  return Validated(inner == object.value().end() ? ToJson(object.value()) : inner->second, schema, name);
}

// Sets the metadata of the direction, or of both, that `argument` is about.
std::optional<Failure> SetStream(const std::string& argument, const PluginDescriptor& descriptor,
                                 CheckParameters* parameters) {
  std::string name;
  auto object = ObjectOf(argument, &name);
  if (!object.ok()) return object.failure();
  const JsonMembers& members = object.value();
  const bool platform = members.contains("stream");
  auto metadata = Validated(platform ? members.at("stream") : ToJson(members), descriptor.stream_schema, name);
  if (!metadata.ok()) return metadata.failure();
  const auto direction = members.find("direction");
  const std::string which = !platform || direction == members.end() ? "" : direction->second;
  if (!which.empty() && which != "\"INGRESS\"" && which != "\"EGRESS\"") {
    return Failure{kExitUsage, name + ": direction is " + which + "; it is \"INGRESS\" or \"EGRESS\""};
  }
  if ((which == "\"INGRESS\"" && !descriptor.ingress) || (which == "\"EGRESS\"" && !descriptor.egress)) {
    return Failure{kExitUsage, name + ": direction is " + which + ", which the plugin has not"};
  }
  if (which != "\"EGRESS\"" && descriptor.ingress) parameters->ingress_json = metadata.value();
  if (which != "\"INGRESS\"" && descriptor.egress) parameters->egress_json = metadata.value();
  return std::nullopt;
}

}  // namespace

Result<CheckParameters> ChooseParameters(const std::string& file, const PluginDescriptor& descriptor,
                                         const GivenParameters& given) {
  CheckParameters parameters;
  parameters.file = std::filesystem::absolute(file).string();
  auto static_json = Choose(given.static_parameters, descriptor.static_schema, "staticParameters", "--static");
  if (!static_json.ok()) return static_json.failure();
  auto config_json = Choose(given.config, descriptor.config_schema, "config", "--config");
  if (!config_json.ok()) return config_json.failure();
  parameters.static_json = std::move(static_json.value());
  parameters.config_json = std::move(config_json.value());
  for (const std::string& stream : given.streams) {
    if (auto failure = SetStream(stream, descriptor, &parameters)) return *failure;
  }
  const bool ingress_missing = descriptor.ingress && parameters.ingress_json.empty();
  const bool egress_missing = descriptor.egress && parameters.egress_json.empty();
  if (ingress_missing || egress_missing) {
    const auto made_up = MadeUp(descriptor.stream_schema, "--stream");
    if (!made_up.ok()) return made_up.failure();
    if (ingress_missing) parameters.ingress_json = made_up.value();
    if (egress_missing) parameters.egress_json = made_up.value();
  }
  return parameters;
}

}  // namespace kps::cli
