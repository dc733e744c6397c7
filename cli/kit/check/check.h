// kps-connector plugin check: whether a plugin keeps the rules of the ABI, whatever it was written in.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/tool.h"

namespace kps::cli {

struct CheckArguments {
  std::string plugin;       // a file or a name
  std::string plugin_path;  // as of --plugin-path; empty: the default
  // What is empty is made up from the schemas.
  std::vector<std::string> static_params;  // KEY=VALUE
  std::string config;                      // JSON, or a file (stream_file.h)
  std::vector<std::string> streams;        // likewise
  std::vector<std::string> rules;          // ids; empty: all
  std::string junit_file;                  // empty: none
  int rule_timeout_s = 60;
};

// Exit code 2: a rule is broken.
ExitCode CheckPlugin(const CheckArguments& arguments, const ToolContext& context);

void AddCheck(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
