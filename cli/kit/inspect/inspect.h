// kps-connector plugin inspect: everything that can be known about a plugin, without running any of it in this process.
#pragma once

#include <string>

#include "cli/kit/tool.h"

namespace kps::cli {

struct InspectArguments {
  std::string plugin;       // a file or a name
  std::string plugin_path;  // as of --plugin-path; empty: the default
  bool markdown = false;    // the parameters alone
};

// Exit code 2: the plugin cannot be used; what is known is printed all the same.
ExitCode Inspect(const InspectArguments& arguments, const ToolContext& context);

void AddInspect(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
