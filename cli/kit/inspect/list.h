// kps-connector plugin list: the search path, and every plugin on it, the broken ones with their reason.
#pragma once

#include <string>

#include "cli/kit/tool.h"

namespace kps::cli {

// `plugin_path`: as of --plugin-path; empty: the default. Broken plugins are no failure.
ExitCode List(const std::string& plugin_path, const ToolContext& context);

void AddList(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
