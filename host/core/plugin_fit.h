// Whether a plugin can do what it is to do: its schemas, and what they say of what is set.
#pragma once

#include <string>

#include "host/core/json.h"
#include "host/core/plan.h"
#include "host/core/plugin.h"
#include "host/core/validate.h"

namespace kps {

// INVALID_ARGUMENT: one of the plugin's schemas cannot be used.
Result<Rules> MakeRules(const std::string& connector_id, const PluginDescriptor& descriptor);

// INVALID_ARGUMENT: every violation of the plugin's static_schema, or that schema cannot be used.
Error CheckStaticParameters(const std::string& static_json, const PluginDescriptor& descriptor);

// What would set these streams and this config.
SetPayloadCommand CommandFor(const std::string& connector_id, const JsonMembers& config, const StreamMap& streams);

// A violation in the words of somebody who has not seen the command.
std::string Told(const Violation& violation, const SetPayloadCommand& command);

}  // namespace kps
