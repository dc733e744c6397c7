#include "cli/kit/inspect/inspect.h"

#include <CLI/App.hpp>
#include <memory>
#include <ostream>

#include "cli/kit/inspect/plugin_report.h"
#include "cli/kit/inspect/report_json.h"
#include "cli/kit/inspect/report_markdown.h"
#include "cli/kit/inspect/report_text.h"
#include "cli/kit/plugin_path.h"

namespace kps::cli {

ExitCode Inspect(const InspectArguments& arguments, const ToolContext& context) {
  const auto file = ChoosePlugin(arguments.plugin, PluginDirectories(arguments.plugin_path));
  if (!file.ok()) {
    context.err << file.failure().text << "\n";
    return file.failure().exit_code;
  }
  const PluginReport report = InspectPlugin(file.value(), {.trust = {}});  // as a host without options
  if (arguments.markdown && report.descriptor) {
    context.out << ReportMarkdown(*report.descriptor);
    return kExitOk;
  }
  context.out << (context.json ? ReportJson(report) : ReportText(report, context.row_width_max));
  return report.problems.empty() ? kExitOk : kExitRefused;
}

void AddInspect(CLI::App* group, ToolJob* job) {
  CLI::App* command =
      group->add_subcommand("inspect", "Show what a plugin is, what it takes, and why it cannot be used");
  command->fallthrough();
  const auto arguments = std::make_shared<InspectArguments>();
  command->add_option("FILE|NAME", arguments->plugin, "the plugin")->required();
  command->add_flag("--markdown", arguments->markdown, "print its parameters as tables of Markdown, for a README");
  AddPluginPath(command, &arguments->plugin_path);
  command->footer(
      "It is loaded in a child process, so one that crashes is shown as well. Exit code 2: it cannot be used.");
  command->callback(
      [arguments, job] { *job = [arguments](const ToolContext& context) { return Inspect(*arguments, context); }; });
}

}  // namespace kps::cli
