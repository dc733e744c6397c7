// A plugin's parameters as tables of Markdown, for its README.
#pragma once

#include <string>

#include "host/core/plugin.h"

namespace kps::cli {

// One table for each schema that names parameters.
std::string ReportMarkdown(const PluginDescriptor& descriptor);

}  // namespace kps::cli
