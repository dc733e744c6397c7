// A report about a plugin, for a program. Keys are a promise: add, never rename.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/inspect/plugin_report.h"

namespace kps::cli {

// Several lines, with a newline at the end.
std::string ReportJson(const PluginReport& report);

struct SearchedDirectory {
  std::string path;
  bool exists = false;
};

// What is searched, and what was found there, which may be of several directories.
std::string ListJson(const std::vector<SearchedDirectory>& directories, const std::vector<PluginReport>& reports);

}  // namespace kps::cli
