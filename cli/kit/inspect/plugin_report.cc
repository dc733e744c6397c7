#include "cli/kit/inspect/plugin_report.h"

#include <utility>

#include "cli/kit/inspect/descriptor_text.h"
#include "cli/kit/inspect/inspect_child.h"
#include "host/core/schema.h"
#include "host/plugin/child_process.h"
#include "host/plugin/elf_file.h"
#include "host/plugin/packed_texts.h"

namespace kps::cli {
namespace {

struct Answer {
  PluginReport* report;
  bool loading = false;
  std::string refusal{};

  void Take(ChildFrame frame) {
    if (frame.code == kLibraryFrame) {
      const auto texts = UnpackTexts(frame.text, 2);
      if (texts) report->libraries.push_back({(*texts)[0], (*texts)[1]});
    }
    if (frame.code == kLoadingFrame) loading = true;
    if (frame.code == kDescriptorFrame) report->descriptor = UnpackDescriptor(frame.text);
    if (frame.code == kRefusedFrame) refusal = std::move(frame.text);
  }
};

// Why there is no descriptor.
std::string Reason(const std::string& file, const Answer& answer, const ChildEnd& end) {
  if (!answer.refusal.empty()) return answer.refusal;
  std::string reason = file + " " + Describe(end) +
                       (answer.loading ? " while it was loaded" : " before it was loaded") + ", in a child process";
  if (!end.last_line.empty()) reason += "; its last line was: " + end.last_line;
  return reason;
}

void LoadInChild(const InspectOptions& options, PluginReport* report) {
  Answer answer{report};
  const auto end = RunChild({options.program, kInspectArgument, report->file}, options.timeout, std::stop_token(),
                            [&](ChildFrame frame) { answer.Take(std::move(frame)); });
  if (!end.ok()) {
    report->problems.push_back(end.error().message());
  } else if (!report->descriptor) {
    report->problems.push_back(Reason(report->file, answer, end.value()));
  }
}

void CheckSchemas(const PluginDescriptor& descriptor, std::vector<std::string>* problems) {
  const std::pair<const char*, const std::string&> schemas[] = {{"static_schema", descriptor.static_schema},
                                                                {"config_schema", descriptor.config_schema},
                                                                {"stream_schema", descriptor.stream_schema}};
  for (const auto& [name, text] : schemas) {
    const auto schema = Schema::Parse(text);
    if (!schema.ok()) problems->push_back(std::string("its ") + name + " cannot be used: " + schema.error().message());
  }
}

}  // namespace

PluginReport InspectPlugin(const std::string& file, const InspectOptions& options) {
  PluginReport report;
  report.file = file;
  report.elf = ReadElfFacts(file);
  if (const Error error = CheckPlace(options.trust, file); !error.ok()) {
    report.problems.push_back(error.message());
    return report;
  }
  if (const Error error = CheckElf(file); !error.ok()) {
    report.problems.push_back(error.message());
    return report;
  }
  // The loader's own sentence does not say it.
  if (!report.elf.exports_entry && !InterpreterOf(file).empty()) {
    report.problems.push_back(file + " is an executable, no shared library: build it with kps_add_plugin()");
    return report;
  }
  LoadInChild(options, &report);
  if (report.descriptor) CheckSchemas(*report.descriptor, &report.problems);
  return report;
}

std::vector<std::string> MissingLibraries(const std::vector<NeededLibrary>& libraries) {
  std::vector<std::string> names;
  for (const NeededLibrary& library : libraries) {
    if (library.path.empty()) names.push_back(library.name);
  }
  return names;
}

}  // namespace kps::cli
