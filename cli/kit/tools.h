// All tools of a plugin's author.
#pragma once

#include "cli/kit/tool.h"

namespace kps::cli {

// Puts every tool into `group`. `job` outlives it, and is set when the command line names a tool.
void AddTools(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
