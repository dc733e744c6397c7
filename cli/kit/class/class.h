// kps-connector plugin class: writes what the platform has to know about a plugin, from the plugin's own schemas.
#pragma once

#include <string>

#include "cli/kit/class/class_files.h"
#include "cli/kit/tool.h"

namespace kps::cli {

struct ClassArguments {
  std::string plugin;  // a file or a name; empty with `all`
  std::string plugin_path;
  bool all = false;  // one class for every plugin that is found
  std::string image = "kps-connector-host";
  SampleValues values{};
  std::string directory = ".";  // is made where it is not there
  bool overwrite = false;
};

// Prints the files that it wrote. Exit codes: 1 a wrong command line, or a file that cannot be written, or is there
// already; 2 the plugin cannot be used. Nothing is written then, but for a disk that fails in between.
ExitCode WriteClass(const ClassArguments& arguments, const ToolContext& context);

void AddClass(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
