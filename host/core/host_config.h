// The keys of the config that are the host's own. They are shown with the rest, but the plugin never sees them.
#pragma once

#include <string>
#include <string_view>

#include "host/core/error.h"
#include "host/core/event.h"
#include "host/core/json.h"

namespace kps {

inline constexpr char kLogLevelKey[] = "log_level";

// DEBUG, INFO, WARN or ERROR, in any case, from a value as JSON text. INVALID_ARGUMENT: it is none of them; the message
// goes on where a path ends ("is ...").
Result<LogLevel> ParseLogLevel(std::string_view json);

// What the plugin gets to see of `config`.
JsonMembers PluginConfig(JsonMembers config);

}  // namespace kps
