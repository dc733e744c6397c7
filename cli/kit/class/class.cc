#include "cli/kit/class/class.h"

#include <CLI/App.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/kit/class/class_files.h"
#include "cli/kit/inspect/plugin_report.h"
#include "cli/kit/plugin_path.h"
#include "host/plugin/find.h"

namespace kps::cli {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<GeneratedFile>;

Result<Files> FilesForOne(const ClassArguments& arguments) {
  const auto file = ChoosePlugin(arguments.plugin, PluginDirectories(arguments.plugin_path));
  if (!file.ok()) return file.failure();
  const PluginReport report = InspectPlugin(file.value());
  if (!report.problems.empty()) return Failure{kExitRefused, report.problems.front()};
  return ClassFiles(*report.descriptor, arguments.image, arguments.values);
}

// One that cannot be used is left out, and `err` told.
Result<Files> FilesForAll(const ClassArguments& arguments, std::ostream& err) {
  const auto directories = PluginDirectories(arguments.plugin_path);
  std::vector<PluginDescriptor> plugins;
  for (const std::string& name : ListPlugins(directories)) {
    const auto file = FindPlugin(name, directories);
    if (!file.ok()) continue;  // it was taken away meanwhile
    const PluginReport report = InspectPlugin(file.value());
    if (report.problems.empty()) {
      plugins.push_back(*report.descriptor);
    } else {
      err << "left out: " << report.problems.front() << "\n";
    }
  }
  if (plugins.empty()) return Failure{kExitRefused, "no plugin can be used. " + DescribePlugins(directories)};
  return ClassFilesForAll(plugins, arguments.image);
}

std::optional<Failure> Write(const Files& files, const ClassArguments& arguments, std::ostream& out) {
  const fs::path folder = arguments.directory;
  for (const GeneratedFile& file : files) {
    std::error_code unknown;
    if (!arguments.overwrite && fs::exists(folder / file.name, unknown)) {
      return Failure{kExitUsage, (folder / file.name).string() + " is there already: --overwrite replaces it"};
    }
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Failure{kExitUsage, "cannot make " + folder.string() + ": " + error.message()};
  for (const GeneratedFile& file : files) {
    const fs::path path = folder / file.name;
    std::ofstream opened(path, std::ios::binary);
    if (!(opened << file.content).flush()) {
      return Failure{kExitUsage, "cannot write " + path.string() + ": " + std::strerror(errno)};
    }
    out << path.string() << "\n";
  }
  return {};
}

}  // namespace

ExitCode WriteClass(const ClassArguments& arguments, const ToolContext& context) {
  const auto fail = [&](const Failure& failure) {
    context.err << failure.text << "\n";
    return failure.exit_code;
  };
  if (arguments.all != arguments.plugin.empty()) {
    return fail({kExitUsage, "name one plugin, or give --all: one class for every plugin that is found"});
  }
  const auto files = arguments.all ? FilesForAll(arguments, context.err) : FilesForOne(arguments);
  if (!files.ok()) return fail(files.failure());
  const auto failure = Write(files.value(), arguments, context.out);
  return failure ? fail(*failure) : kExitOk;
}

void AddClass(CLI::App* group, ToolJob* job) {
  CLI::App* command =
      group->add_subcommand("class", "Write the platform's JSON of a plugin: class, instance, streams, config, YAML");
  command->fallthrough();
  const auto arguments = std::make_shared<ClassArguments>();
  command->add_option("FILE|NAME", arguments->plugin, "the plugin");
  command->add_flag("--all", arguments->all, "one class, whose instances choose among the plugins that are found");
  command->add_option("--image", arguments->image, "the container image; without a tag, instances have image_tag")
      ->type_name("IMAGE[:TAG]")
      ->capture_default_str();
  const auto add_values = [command](const char* name, std::vector<std::string>* pairs, const char* text) {
    command->add_option(name, *pairs, text)->type_name("KEY=VALUE")->allow_extra_args(false);
  };
  add_values("--metadata", &arguments->values.streams, "metadata of the sample streams; VALUE is JSON, or else text");
  add_values("--ingress", &arguments->values.ingress, "metadata of the ingress stream alone");
  add_values("--egress", &arguments->values.egress, "metadata of the egress stream alone");
  add_values("--static-param", &arguments->values.instance, "a static parameter of the sample instance");
  command->add_option("--dir", arguments->directory, "where to write to")->type_name("DIR")->capture_default_str();
  command->add_flag("--overwrite", arguments->overwrite, "replace files that are there");
  AddPluginPath(command, &arguments->plugin_path);
  command->callback(
      [arguments, job] { *job = [arguments](const ToolContext& context) { return WriteClass(*arguments, context); }; });
}

}  // namespace kps::cli
