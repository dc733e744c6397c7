// kps-connector plugin sums: the list of what may run, for kps-connector-host --plugin-sums.
#pragma once

#include "cli/kit/tool.h"

namespace kps::cli {

void AddSums(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
