#include "cli/kit/check/check.h"

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <ostream>

#include "cli/kit/check/check_parameters.h"
#include "cli/kit/check/check_report.h"
#include "cli/kit/inspect/plugin_report.h"
#include "cli/kit/plugin_path.h"
#include "cli/stop_on_signals.h"

namespace kps::cli {
namespace {

ExitCode Fail(const Failure& failure, const ToolContext& context) {
  context.err << failure.text << std::endl;
  return failure.exit_code;
}

std::vector<std::string> RuleIds() {
  std::vector<std::string> ids;
  for (const Rule& rule : AllRules()) ids.emplace_back(rule.id);
  return ids;
}

}  // namespace

ExitCode CheckPlugin(const CheckArguments& arguments, const ToolContext& context) {
  const auto file = ChoosePlugin(arguments.plugin, PluginDirectories(arguments.plugin_path));
  if (!file.ok()) return Fail(file.failure(), context);
  // One that cannot be loaded is examined as far as it goes.
  const PluginDescriptor descriptor = InspectPlugin(file.value()).descriptor.value_or(PluginDescriptor{});
  const auto parameters = ChooseParameters(file.value(), descriptor,
                                           {arguments.static_params, arguments.config, arguments.streams}, context.in);
  if (!parameters.ok()) return Fail(parameters.failure(), context);

  std::ofstream junit;
  if (!arguments.junit_file.empty()) {
    junit.open(arguments.junit_file, std::ios::binary);  // before the minutes that follow
    if (!junit) {
      return Fail({kExitUsage, "cannot write " + arguments.junit_file + ": " + std::strerror(errno)}, context);
    }
  }
  const StopOnSignals stop;
  ExaminationOptions options;
  options.rule_timeout = std::chrono::seconds(arguments.rule_timeout_s);
  options.rules = arguments.rules;
  auto results = ExaminePlugin(parameters.value(), options, stop.token());
  if (!results.ok()) return Fail(results.failure(), context);
  const CheckReport report{file.value(), descriptor.name, descriptor.version, parameters.value(),
                           std::move(results.value())};
  context.out << (context.json ? CheckJson(report) : CheckText(report));
  if (junit.is_open()) {
    junit << CheckJunit(report);
    if (!junit.flush()) {
      return Fail({kExitUsage, "cannot write " + arguments.junit_file + ": " + std::strerror(errno)}, context);
    }
  }
  return report.broken() ? kExitRefused : kExitOk;
}

void AddCheck(CLI::App* group, ToolJob* job) {
  CLI::App* command = group->add_subcommand("check", "Examine whether a plugin keeps the rules of the plugin ABI");
  command->fallthrough();
  const auto arguments = std::make_shared<CheckArguments>();
  command->add_option("FILE|NAME", arguments->plugin, "the plugin")->required();
  AddPluginPath(command, &arguments->plugin_path);
  command->add_option("--static-param", arguments->static_params, "a static parameter; VALUE is JSON, or else text")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--config", arguments->config, "its config: JSON, or a file")->type_name("JSON|FILE");
  command
      ->add_option("--stream", arguments->streams,
                   "a stream, one for each direction: what `streams set` takes, or the metadata alone")
      ->type_name("JSON|FILE...");
  command->add_option("--rule", arguments->rules, "examine this one alone (repeatable)")
      ->type_name("ID")
      ->check(CLI::IsMember(RuleIds()));
  command->add_option("--rule-timeout", arguments->rule_timeout_s, "seconds that a rule may take")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  command->add_option("--junit", arguments->junit_file, "write the results as JUnit's XML, too")->type_name("FILE");
  command->footer(
      "What is not given is made up from the plugin's schemas. Each rule is examined in a process of its own, in an\n"
      "empty directory. Messages are read, acknowledged and produced: give a service that is there to be tried on.\n"
      "Exit code 2: a rule is broken.");
  command->callback([arguments, job] {
    *job = [arguments](const ToolContext& context) { return CheckPlugin(*arguments, context); };
  });
}

}  // namespace kps::cli
