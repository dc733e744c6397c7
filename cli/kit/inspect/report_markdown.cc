#include "cli/kit/inspect/report_markdown.h"

#include "cli/kit/inspect/schema_rows.h"

namespace kps::cli {
namespace {

// A cell ends at a bar, and the table at a line's end.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

std::string Code(const std::string& text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string SchemaTable(const std::string& title, const std::string& schema) {
  const auto rows = SchemaRows(schema);
  if (rows.empty()) return {};
  std::string text = "\n" + title + ":\n\n| parameter | type | default | meaning |\n|---|---|---|---|\n";
  for (const SchemaRow& row : rows) {
    text += "| " + Code(row.parameter) + " | " + Cell(row.type + (row.limits.empty() ? "" : ", " + row.limits)) +
            " | " + (row.required ? "required" : Code(row.default_json)) + " | " + Cell(row.description) + " |\n";
  }
  return text;
}

}  // namespace

std::string ReportMarkdown(const PluginDescriptor& descriptor) {
  const std::string text = SchemaTable("Static parameters", descriptor.static_schema) +
                           SchemaTable("Config", descriptor.config_schema) +
                           SchemaTable("Stream metadata", descriptor.stream_schema) + "\n";
  return text;
}

}  // namespace kps::cli
