// All tools of a plugin's author.
#pragma once

#include <optional>
#include <string_view>

#include "cli/kit/tool.h"

namespace kps::cli {

// Puts every tool into `group`. `job` outlives it, and is set when the command line names a tool.
void AddTools(CLI::App* group, ToolJob* job);

// Tools let plugins run in a child, which is this program again, with one argument that is not for people. Where
// `argument` is such a one: does it, and returns the exit code.
std::optional<int> RunAsChild(std::string_view argument);

}  // namespace kps::cli
