// Checks a SetPayload as a whole, before anything changes: a pure function.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/core/json.h"
#include "host/core/plugin.h"
#include "host/core/schema.h"
#include "host/core/stream.h"

namespace kps {

// The members of one Config payload.
struct ConfigPatch {
  JsonMembers members;
};

// A SetPayload request. monostate: a Payload without content.
struct SetPayloadCommand {
  std::string connector_id;
  std::vector<std::variant<std::monostate, ConfigPatch, StreamSpec>> payloads;
  // Metadata that could not be read, by the index of their payload, in which they are left out.
  std::multimap<std::size_t, Violation> unreadable = {};
};

// Violations that are named of one command; then one more says that there are others.
inline constexpr std::size_t kCommandViolationsMax = 1000;

// What requests are checked against.
struct Rules {
  std::string connector_id;  // of this connector; empty: every id is accepted
  std::string plugin_name;
  bool ingress = false;
  bool egress = false;
  Schema config_schema;
  Schema stream_schema;
};

// Every violation, in the order of the payloads; empty: the command may be applied. `config` is the current one, into
// which the command's config is merged before it is checked as a whole; what is wrong is named at the payload it came
// with.
std::vector<Violation> Validate(const SetPayloadCommand& command, const Rules& rules, const JsonMembers& config);

// `config` with every ConfigPatch of the command merged in, key by key.
JsonMembers MergedConfig(const SetPayloadCommand& command, JsonMembers config);

// Why the request's connector id is not this connector's; empty: it is.
std::vector<Violation> CheckConnectorId(const std::string& requested, const std::string& own);

// Why `channel` is no channel for the direction, by the rules of NATS subjects; empty: it is one.
std::string CheckChannel(std::string_view channel, Direction direction);

}  // namespace kps
