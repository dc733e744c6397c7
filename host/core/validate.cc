#include "host/core/validate.h"

#include <map>

namespace kps {
namespace {

constexpr std::size_t kIdBytesMax = 1024;
constexpr std::size_t kChannelBytesMax = 1024;

void CheckStream(const StreamSpec& stream, const std::string& path, const Rules& rules, std::vector<Violation>* found) {
  if (stream.id.empty()) {
    found->push_back({path + ".id", "is empty: every stream needs an id"});
  } else if (stream.id.size() > kIdBytesMax) {
    found->push_back({path + ".id", "is longer than " + std::to_string(kIdBytesMax) + " bytes"});
  }
  const bool possible = stream.direction == Direction::kIngress   ? rules.ingress
                        : stream.direction == Direction::kEgress ? rules.egress
                                                                 : false;
  if (stream.direction == Direction::kUnspecified) {
    found->push_back({path + ".direction",
                      "is unspecified: use STREAM_DIRECTION_INGRESS or STREAM_DIRECTION_EGRESS"});
  } else if (!possible) {
    found->push_back({path + ".direction", "is " + std::string(DirectionName(stream.direction)) + ", but the plugin " +
                                               rules.plugin_name + " has only " + (rules.ingress ? "INGRESS" : "EGRESS")});
  }
  if (auto reason = CheckChannel(stream.channel, stream.direction); !reason.empty()) {
    found->push_back({path + ".transport_channel", std::move(reason)});
  }
  const auto violations = rules.stream_schema.Check(stream.metadata_json, path + ".metadata");
  found->insert(found->end(), violations.begin(), violations.end());
}

}  // namespace

std::vector<Violation> CheckConnectorId(const std::string& requested, const std::string& own) {
  if (own.empty() || requested == own) return {};
  return {{"connector_id", "is \"" + requested + "\", but this is connector \"" + own + "\""}};
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
    if (!wildcard && token.find_first_of("*>") != token.npos) return "has a wildcard inside of a token: * and > stand alone";
    if (wildcard && direction == Direction::kIngress) return "has a wildcard, but an ingress stream publishes to one subject";
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
  std::vector<Violation> found = CheckConnectorId(command.connector_id, rules.connector_id);
  std::map<std::string_view, std::size_t> first_use;
  for (std::size_t i = 0; i < command.payloads.size(); ++i) {
    const std::string path = "payloads[" + std::to_string(i) + "]";
    const auto& payload = command.payloads[i];
    if (std::holds_alternative<std::monostate>(payload)) {
      found.push_back({path, "is empty: it needs a config or a stream"});
    } else if (const auto* stream = std::get_if<StreamSpec>(&payload)) {
      CheckStream(*stream, path + ".stream", rules, &found);
      const auto [use, unique] = first_use.emplace(stream->id, i);
      if (!unique && !stream->id.empty()) {
        found.push_back({path + ".stream.id", "\"" + stream->id + "\" stands already in payloads[" +
                                                  std::to_string(use->second) + "]: ids are unique"});
      }
    } else {
      // The whole is checked, not the part: a schema may ask for keys that earlier calls have set.
      const auto violations = rules.config_schema.Check(ToJson(MergedConfig(command, config)), path + ".config.metadata");
      found.insert(found.end(), violations.begin(), violations.end());
    }
  }
  return found;
}

}  // namespace kps
