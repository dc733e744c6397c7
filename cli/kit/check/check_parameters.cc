#include "cli/kit/check/check_parameters.h"

#include <filesystem>

#include "cli/kit/schema_sample.h"
#include "cli/stream_file.h"
#include "host/core/schema.h"
#include "host/core/static_parameters.h"

namespace kps::cli {
namespace {

// `json` if it is valid; a schema that cannot be checked is a matter of the rules.
Result<std::string> Validated(const std::string& json, const std::string& schema, const std::string& source) {
  const auto parsed = Schema::Parse(schema);
  if (!parsed.ok()) return json;
  const auto violations = parsed.value().Check(json, "");
  if (violations.empty()) return json;
  std::string place = violations.front().field;
  if (!place.empty() && place.front() == '.') place.erase(0, 1);
  return Failure{kExitUsage, source + ": " + (place.empty() ? "" : place + " ") + violations.front().description};
}

// `option` gives them otherwise.
Result<std::string> MakeUp(const std::string& schema, const std::string& option,
                           Direction direction = Direction::kUnspecified) {
  if (!Schema::Parse(schema).ok()) return std::string("{}");
  auto sample = SampleOf(schema, SampleParameters::kShown, direction);
  if (sample.ok()) return sample;
  return Failure{kExitUsage, sample.failure().text + ", or them with " + option};
}

Result<std::string> ChooseStatic(const std::vector<std::string>& params, const std::string& schema) {
  if (params.empty()) return MakeUp(schema, "--static-param");
  const auto merged = MergeParameters("{}", "", params);
  if (!merged.ok()) return Failure{kExitUsage, merged.error().message()};
  return Validated(merged.value(), schema, "--static-param");
}

Result<std::string> ChooseConfig(const std::string& config, const std::string& schema, std::istream& standard_input) {
  if (config.empty()) return MakeUp(schema, "--config");
  const auto read = ReadConfigFile(config, standard_input);
  if (!read.ok()) return read.failure();
  return Validated(read.value(), schema, SourceName(config, kConfigOption));
}

// Whether a connector that refuses the parameters may be right: what was made up is not empty, or nothing was given.
bool IsConnectorMadeUp(const GivenParameters& given, const CheckParameters& parameters) {
  const bool statics = given.static_params.empty();
  const bool config = given.config.empty();
  return (statics && config) || (statics && parameters.static_json != "{}") ||
         (config && parameters.config_json != "{}");
}

// Sets the metadata of the direction, or of both, that `source` is about.
std::optional<Failure> SetStream(const std::string& source, const PluginDescriptor& descriptor,
                                 std::istream& standard_input, CheckParameters* parameters) {
  const auto read = ReadStreamFile(source, standard_input);
  if (!read.ok()) return read.failure();
  const auto& direction = read.value().direction;
  const bool ingress = !direction || *direction == StreamDirection::kIngress;
  const bool egress = !direction || *direction == StreamDirection::kEgress;
  if (!(ingress && descriptor.ingress) && !(egress && descriptor.egress)) {
    return Failure{kExitUsage, SourceName(source, kStreamOption) + ": the plugin runs no " +
                                   DirectionName(ingress ? Direction::kIngress : Direction::kEgress) + " streams"};
  }
  const auto metadata =
      Validated(read.value().metadata_json, descriptor.stream_schema, SourceName(source, kStreamOption));
  if (!metadata.ok()) return metadata.failure();
  if (ingress && descriptor.ingress) parameters->ingress_json = metadata.value();
  if (egress && descriptor.egress) parameters->egress_json = metadata.value();
  return std::nullopt;
}

}  // namespace

Result<CheckParameters> ChooseParameters(const std::string& file, const PluginDescriptor& descriptor,
                                         const GivenParameters& given, std::istream& standard_input) {
  CheckParameters parameters;
  parameters.file = std::filesystem::absolute(file).string();
  auto static_json = ChooseStatic(given.static_params, descriptor.static_schema);
  if (!static_json.ok()) return static_json.failure();
  auto config_json = ChooseConfig(given.config, descriptor.config_schema, standard_input);
  if (!config_json.ok()) return config_json.failure();
  parameters.static_json = std::move(static_json.value());
  parameters.config_json = std::move(config_json.value());
  if (IsConnectorMadeUp(given, parameters)) parameters.made_up |= kMadeUpConnector;
  for (const std::string& stream : given.streams) {
    if (auto failure = SetStream(stream, descriptor, standard_input, &parameters)) return *failure;
  }
  const auto make_up = [&](Direction direction, MadeUp mark, std::string* json) -> std::optional<Failure> {
    auto made_up = MakeUp(descriptor.stream_schema, "--stream", direction);
    if (!made_up.ok()) return made_up.failure();
    *json = std::move(made_up.value());
    parameters.made_up |= mark;
    return std::nullopt;
  };
  if (descriptor.ingress && parameters.ingress_json.empty()) {
    if (auto failure = make_up(Direction::kIngress, kMadeUpIngress, &parameters.ingress_json)) return *failure;
  }
  if (descriptor.egress && parameters.egress_json.empty()) {
    if (auto failure = make_up(Direction::kEgress, kMadeUpEgress, &parameters.egress_json)) return *failure;
  }
  return parameters;
}

}  // namespace kps::cli
