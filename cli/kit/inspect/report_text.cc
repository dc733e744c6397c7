#include "cli/kit/inspect/report_text.h"

#include <kps/version.h>

#include <utility>

#include "cli/kit/inspect/schema_rows.h"
#include "cli/table.h"

namespace kps::cli {
namespace {

std::string Joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

std::string SchemaTable(const std::string& title, const std::string& schema, std::size_t row_width_max) {
  const auto rows = SchemaRows(schema);
  if (rows.empty()) return "\n" + title + ": " + (schema.empty() ? "any, for there is no schema" : "none") + "\n";
  std::vector<std::vector<std::string>> cells;
  for (const SchemaRow& row : rows) {
    cells.push_back({Printable(row.parameter), row.type, row.required ? "yes" : "no", OrDash(row.default_json),
                     OrDash(row.limits), OrDash(row.description)});
  }
  return "\n" + title + "\n" +
         Table({"PARAMETER", "TYPE", "REQUIRED", "DEFAULT", "LIMITS", "DESCRIPTION"}, row_width_max).Print(cells);
}

using Rows = std::vector<std::vector<std::string>>;

void AddDescriptor(const PluginDescriptor& descriptor, Rows* rows) {
  rows->push_back({"description", OrDash(descriptor.description)});
  rows->push_back({"directions", DirectionsText(descriptor)});
  rows->push_back({"functions", OrDash(Joined(descriptor.functions, ", "))});
  rows->push_back({"flags", OrDash(Joined(FlagNames(descriptor), ", "))});
  rows->push_back({"plugin ABI", std::to_string(descriptor.abi_version) + " (hosts of this version: 1 to " +
                                     std::to_string(KPS_ABI_VERSION) + ")"});
}

void AddElf(const PluginReport& report, Rows* rows) {
  rows->push_back({"architecture", OrDash(report.elf.machine)});
  rows->push_back({"build id", OrDash(report.elf.build_id)});
  rows->push_back({"sha256", OrDash(report.elf.sha256)});
  if (!report.elf.runpath.empty()) rows->push_back({"runpath", Printable(report.elf.runpath)});
  if (report.libraries.empty() && !report.elf.needed.empty()) {
    rows->push_back({"needs", Printable(Joined(report.elf.needed, ", "))});
  }
  for (const NeededLibrary& library : report.libraries) {
    rows->push_back({"needs", Printable(library.name + (library.path.empty() ? ": MISSING" : ": " + library.path))});
  }
  if (report.elf.static_tls) {
    rows->push_back({"static TLS", "yes: a running host may have no room for it; do not use -ftls-model=initial-exec"});
  }
  if (!report.elf.machine.empty()) rows->push_back({"unloadable", Printable(UnloadableText(report))});
}

}  // namespace

std::string DirectionsText(const PluginDescriptor& descriptor) {
  std::string text = descriptor.ingress ? "INGRESS" : "";
  if (descriptor.egress) text += text.empty() ? "EGRESS" : ", EGRESS";
  return text;
}

std::vector<std::string> FlagNames(const PluginDescriptor& descriptor) {
  std::vector<std::string> names;
  if (descriptor.no_unload) names.emplace_back("NO_UNLOAD");
  if (descriptor.overlap_safe) names.emplace_back("OVERLAP_SAFE");
  return names;
}

std::string UnloadableText(const PluginReport& report) {
  std::vector<std::string> reasons = WhyNotUnloadable(report.elf);
  if (report.descriptor && report.descriptor->no_unload) reasons.emplace_back("asks to stay, with KPS_FLAG_NO_UNLOAD");
  if (!reasons.empty()) return "no: " + Joined(reasons, "; ");
  if (report.elf.thread_exit_hooks) {
    return "yes, but not before the threads end that have used its thread_local objects with destructors";
  }
  return "yes";
}

std::string ReportText(const PluginReport& report, std::size_t row_width_max) {
  Rows rows;
  if (report.descriptor) AddDescriptor(*report.descriptor, &rows);
  rows.push_back({"file", Printable(report.file)});
  AddElf(report, &rows);
  for (const std::string& problem : report.problems) rows.push_back({"PROBLEM", Printable(problem)});
  const std::string name = report.descriptor ? report.descriptor->name + " " + report.descriptor->version : "";
  std::string text = Table({"PLUGIN", OrDash(name)}, row_width_max).Print(rows);
  if (!report.descriptor) return text;
  text += SchemaTable("Static parameters", report.descriptor->static_schema, row_width_max);
  text += SchemaTable("Config", report.descriptor->config_schema, row_width_max);
  return text + SchemaTable("Stream metadata", report.descriptor->stream_schema, row_width_max);
}

}  // namespace kps::cli
