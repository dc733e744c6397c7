#include "host/core/validate.h"

#include <algorithm>
#include <map>
#include <utility>

#include "host/core/host_config.h"

namespace kps {
namespace {

constexpr std::size_t kIdBytesMax = 1024;
constexpr std::size_t kChannelBytesMax = 1024;
constexpr std::size_t kShownBytesMax = 128;  // of a text that is wrong

std::string Quoted(std::string_view text) { return JsonString(Shortened(text, kShownBytesMax)); }

// Violations with the index of their payload.
using Found = std::vector<std::pair<std::size_t, Violation>>;

std::string PayloadPath(std::size_t index) { return ElementPlace("payloads", index); }

std::string CheckDirection(Direction direction, const Rules& rules) {
  const char use[] = ": use STREAM_DIRECTION_INGRESS or STREAM_DIRECTION_EGRESS";
  switch (direction) {
    case Direction::kIngress:
      if (rules.ingress) return {};
      break;
    case Direction::kEgress:
      if (rules.egress) return {};
      break;
    case Direction::kUnspecified: return std::string("is unspecified") + use;
    default:  // a number of a later contract
      return "is " + std::to_string(static_cast<std::int32_t>(direction)) + ", which is no direction" + use;
  }
  return "is " + std::string(DirectionName(direction)) + ", but the plugin " + rules.plugin_name + " has only " +
         (rules.ingress ? "INGRESS" : "EGRESS");
}

void CheckStream(const StreamSpec& stream, std::size_t index, const Rules& rules, Found* found) {
  const std::string path = PayloadPath(index) + ".stream";
  const auto add = [&](const char* member, std::string reason) {
    if (!reason.empty()) found->push_back({index, {path + member, std::move(reason)}});
  };
  if (stream.id.empty()) {
    add(".id", "is empty: every stream needs an id");
  } else if (stream.id.size() > kIdBytesMax) {
    add(".id", "is longer than " + std::to_string(kIdBytesMax) + " bytes");
  }
  add(".direction", CheckDirection(stream.direction, rules));
  add(".transport_channel", CheckChannel(stream.channel, stream.direction));
}

// Where a place below the first payload's config belongs: to the last payload that sets the member.
Violation AtItsPayload(Violation violation, const std::string& path, const SetPayloadCommand& command) {
  for (std::size_t i = command.payloads.size(); i-- > 0;) {
    const auto* patch = std::get_if<ConfigPatch>(&command.payloads[i]);
    if (patch == nullptr) continue;
    for (const auto& [key, value] : patch->members) {
      const std::string member = MemberPlace(path, key);
      if (!violation.field.starts_with(member)) continue;
      const std::string below = violation.field.substr(member.size());
      if (!below.empty() && below[0] != '.' && below[0] != '[') continue;
      violation.field = MemberPlace(PayloadPath(i) + ".config.metadata", key) + below;
      return violation;
    }
  }
  return violation;
}

void CheckLogLevel(const ConfigPatch& patch, std::size_t index, Found* found) {
  const auto level = patch.members.find(kLogLevelKey);
  if (level == patch.members.end()) return;
  const auto parsed = ParseLogLevel(level->second);
  if (parsed.ok()) return;
  found->push_back({index, {PayloadPath(index) + ".config.metadata." + kLogLevelKey, parsed.error().message()}});
}

// The whole is checked, not the part: a schema may ask for keys that earlier calls have set.
void CheckConfig(const SetPayloadCommand& command, const Rules& rules, const JsonMembers& config, Found* found) {
  const auto is_config = [](const auto& payload) { return std::holds_alternative<ConfigPatch>(payload); };
  const auto first = std::find_if(command.payloads.begin(), command.payloads.end(), is_config);
  if (first == command.payloads.end()) return;
  for (const auto& [index, violation] : command.unreadable) {
    if (is_config(command.payloads[index])) return;  // it lacks what could not be read
  }
  const auto index = static_cast<std::size_t>(first - command.payloads.begin());
  const std::string path = PayloadPath(index) + ".config.metadata";
  for (Violation& violation : rules.config_schema.Check(ToJson(PluginConfig(MergedConfig(command, config))), path)) {
    found->push_back({index, AtItsPayload(std::move(violation), path, command)});
  }
}

}  // namespace

std::vector<Violation> CheckConnectorId(const std::string& requested, const std::string& own) {
  if (own.empty() || requested == own) return {};
  const std::string given = requested.empty() ? "is empty" : "is " + Quoted(requested);
  return {{"connector_id", given + ", but this is connector " + Quoted(own)}};
}

std::string CheckChannel(std::string_view channel, Direction direction) {
  if (channel.empty()) return "is empty: name the NATS subject that carries the stream";
  if (channel.size() > kChannelBytesMax) return "is longer than " + std::to_string(kChannelBytesMax) + " bytes";
  for (std::size_t i = 0; i < channel.size(); ++i) {
    const auto c = static_cast<unsigned char>(channel[i]);
    if (c <= ' ' || c == 0x7F) {
      return "has a space or control character at byte " + std::to_string(i) + ", which no NATS subject may have";
    }
  }
  for (std::size_t start = 0; start <= channel.size();) {
    const std::size_t end = std::min(channel.find('.', start), channel.size());
    const std::string_view token = channel.substr(start, end - start);
    if (token.empty()) return "has an empty token: dots separate, so none may lead, trail or follow another";
    const bool wildcard = token == "*" || token == ">";
    if (!wildcard && token.find_first_of("*>") != token.npos)
      return "has a wildcard inside of a token: * and > stand alone";
    if (wildcard && direction == Direction::kIngress)
      return "has a wildcard, but an ingress stream publishes to one subject";
    if (token == ">" && end != channel.size()) return "goes on after >, which can only be the last token";
    start = end + 1;
  }
  return {};
}

JsonMembers MergedConfig(const SetPayloadCommand& command, JsonMembers config) {
  for (const auto& payload : command.payloads) {
    if (const auto* patch = std::get_if<ConfigPatch>(&payload)) {
      for (const auto& [key, value] : patch->members) config[key] = value;
    }
  }
  return config;
}

std::vector<Violation> Validate(const SetPayloadCommand& command, const Rules& rules, const JsonMembers& config) {
  Found found;
  std::map<std::string_view, std::size_t> first_use;
  for (std::size_t i = 0; i < command.payloads.size() && found.size() <= kCommandViolationsMax; ++i) {
    const auto& payload = command.payloads[i];
    if (std::holds_alternative<std::monostate>(payload)) {
      found.push_back({i, {PayloadPath(i), "is empty: it needs a config or a stream"}});
    }
    if (const auto* patch = std::get_if<ConfigPatch>(&payload)) CheckLogLevel(*patch, i, &found);
    const auto* stream = std::get_if<StreamSpec>(&payload);
    if (stream == nullptr) continue;
    CheckStream(*stream, i, rules, &found);
    const auto [use, unique] = first_use.emplace(stream->id, i);
    if (!unique && !stream->id.empty()) {
      found.push_back({i,
                       {PayloadPath(i) + ".stream.id",
                        Quoted(stream->id) + " stands already in " + PayloadPath(use->second) + ": ids are unique"}});
    }
    if (command.unreadable.contains(i)) continue;
    for (Violation& violation : rules.stream_schema.Check(stream->metadata_json, PayloadPath(i) + ".stream.metadata")) {
      found.push_back({i, std::move(violation)});
    }
  }
  found.insert(found.end(), command.unreadable.begin(), command.unreadable.end());
  CheckConfig(command, rules, config, &found);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  std::vector<Violation> violations = CheckConnectorId(command.connector_id, rules.connector_id);
  for (auto& [index, violation] : found) violations.push_back(std::move(violation));
  if (violations.size() > kCommandViolationsMax) {
    violations.resize(kCommandViolationsMax);
    violations.push_back(
        {"payloads", "have more violations: the first " + std::to_string(kCommandViolationsMax) + " are named"});
  }
  return violations;
}

}  // namespace kps
