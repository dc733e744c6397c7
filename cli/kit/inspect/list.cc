#include "cli/kit/inspect/list.h"

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <ostream>
#include <vector>

#include "cli/kit/inspect/plugin_report.h"
#include "cli/kit/inspect/report_json.h"
#include "cli/kit/inspect/report_text.h"
#include "cli/kit/plugin_path.h"
#include "cli/table.h"
#include "host/plugin/find.h"

namespace kps::cli {
namespace {

std::vector<SearchedDirectory> Look(const std::vector<std::string>& directories) {
  std::vector<SearchedDirectory> looked;
  for (const std::string& path : directories) {
    std::error_code unknown;
    looked.push_back({path, std::filesystem::is_directory(path, unknown)});
  }
  return looked;
}

std::vector<PluginReport> InspectAll(const std::vector<std::string>& directories) {
  std::vector<PluginReport> reports;
  for (const std::string& name : ListPlugins(directories)) {
    const auto file = FindPlugin(name, directories);
    if (!file.ok()) continue;  // it was taken away meanwhile
    reports.push_back(InspectPlugin(file.value(), {.trust = {}}));
  }
  return reports;
}

std::vector<std::string> Row(const PluginReport& report) {
  const std::string name = std::filesystem::path(report.file).stem().string();
  std::string directions = "-";
  std::string version = "-";
  std::string what;
  if (report.descriptor) {
    directions = DirectionsText(*report.descriptor);
    version = report.descriptor->version;
    what = report.descriptor->description;
  }
  if (!report.problems.empty()) what = "BROKEN: " + report.problems.front();
  return {Printable(name), Printable(version), directions, Printable(report.file), Printable(what)};
}

std::string ListText(const std::vector<SearchedDirectory>& directories, const std::vector<PluginReport>& reports,
                     std::size_t row_width_max) {
  std::string text = "Search path:\n";
  for (const SearchedDirectory& directory : directories) {
    text += "  " + Printable(directory.path) + (directory.exists ? "" : "  (not there)") + "\n";
  }
  if (reports.empty()) return text + "\nNo plugin was found.\n";
  std::vector<std::vector<std::string>> rows;
  rows.reserve(reports.size());
  for (const PluginReport& report : reports) rows.push_back(Row(report));
  return text + "\n" + Table({"NAME", "VERSION", "DIRECTIONS", "FILE", "DESCRIPTION"}, row_width_max).Print(rows);
}

}  // namespace

ExitCode List(const std::string& plugin_path, const ToolContext& context) {
  const auto directories = PluginDirectories(plugin_path);
  const auto looked = Look(directories);
  const auto reports = InspectAll(directories);
  context.out << (context.json ? ListJson(looked, reports) : ListText(looked, reports, context.row_width_max));
  return kExitOk;
}

void AddList(CLI::App* group, ToolJob* job) {
  CLI::App* command = group->add_subcommand("list", "Show where plugins are looked for, and which are there");
  command->fallthrough();
  const auto path = std::make_shared<std::string>();
  AddPluginPath(command, path.get());
  command->callback([path, job] { *job = [path](const ToolContext& context) { return List(*path, context); }; });
}

}  // namespace kps::cli
