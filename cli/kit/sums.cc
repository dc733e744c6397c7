#include "cli/kit/sums.h"

#include <CLI/App.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/kit/plugin_path.h"
#include "host/plugin/elf_facts.h"
#include "host/plugin/find.h"
#include "host/plugin/trust.h"

namespace kps::cli {
namespace {

struct Asked {
  std::string plugin_path;
  std::vector<std::string> plugins;  // names or files; empty: all that are found
};

ExitCode Sums(const Asked& asked, const ToolContext& context) {
  const auto directories = PluginDirectories(asked.plugin_path);
  const auto plugins = asked.plugins.empty() ? ListPlugins(directories) : asked.plugins;
  if (plugins.empty()) {
    context.err << DescribePlugins(directories) << '\n';
    return kExitUsage;
  }
  std::string list;
  for (const std::string& plugin : plugins) {
    const auto file = ChoosePlugin(plugin, directories);
    if (!file.ok()) {
      context.err << file.failure().text << '\n';
      return file.failure().exit_code;
    }
    const std::string sha256 = ReadElfFacts(file.value()).sha256;
    if (sha256.empty()) {
      context.err << "cannot read " << file.value() << '\n';
      return kExitUsage;
    }
    list += SumLine(file.value(), sha256);
  }
  context.out << list;
  return kExitOk;
}

}  // namespace

void AddSums(CLI::App* group, ToolJob* job) {
  CLI::App* command =
      group->add_subcommand("sums", "Print the SHA-256 of plugins, as a list for kps-connector-host --plugin-sums");
  command->fallthrough();
  const auto asked = std::make_shared<Asked>();
  AddPluginPath(command, &asked->plugin_path);
  command->add_option("plugin", asked->plugins, "names or files of plugins; by default all that are found");
  command->callback([asked, job] { *job = [asked](const ToolContext& context) { return Sums(*asked, context); }; });
}

}  // namespace kps::cli
