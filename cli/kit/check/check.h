// kps-connector plugin check: whether a plugin keeps the rules of the ABI, whatever it was written in.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/tool.h"

namespace kps::cli {

struct CheckArguments {
  std::string plugin;       // a file or a name
  std::string plugin_path;  // as of --plugin-path; empty: the default
  // Each a JSON object or a file that holds one; empty: made up from the schema. A stream may stand in the platform's
  // JSON, {"direction", "stream": {...}}; the metadata alone are for both directions.
  std::string static_parameters;
  std::string config;
  std::vector<std::string> streams;
  std::vector<std::string> rules;  // ids; empty: all
  std::string junit_file;          // empty: none
  double timeout_seconds = 60;     // of one rule
};

// Exit code 2: a rule is broken.
ExitCode CheckPlugin(const CheckArguments& arguments, const ToolContext& context);

void AddCheck(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
