// `kps-connector plugin new NAME`: writes the project of a new plugin.
#pragma once

#include "cli/kit/tool.h"

namespace kps::cli {

void AddNew(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
