#include "cli/kit/new/project.h"

#include <algorithm>
#include <array>

#include "cli/kit/new/templates.h"

namespace kps::cli {
namespace {

constexpr std::size_t kNameSizeMax = 64;
constexpr std::string_view kBothDirections = "KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS";

std::string_view FolderOf(Language language) {
  switch (language) {
    case Language::kC: return "template-c";
    case Language::kRust: return "template-rust";
    case Language::kCpp: break;
  }
  return "template";
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordPart(char c) { return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; }

// What is wrong with the name of a plugin; empty: nothing.
std::string CheckName(const std::string& name) {
  // Targets of every CMake project; a plugin is one, too.
  static constexpr std::array<std::string_view, 8> kTaken = {"all",     "clean",   "depend",     "help",
                                                             "install", "package", "preinstall", "test"};
  const bool matches = !name.empty() && IsLower(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '-';
  });
  if (!matches) return "the name of a plugin matches [a-z][a-z0-9-]*, as \"my-plugin\" does; \"" + name + "\" does not";
  if (name.size() > kNameSizeMax) return "the name of a plugin has at most " + std::to_string(kNameSizeMax) + " bytes";
  if (std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end()) return "";
  return "\"" + name + "\" is a target of every CMake build: choose another name";
}

// "  // begin INGRESS" -> "begin INGRESS", whatever marks a comment.
std::string_view WithoutCommentMarks(std::string_view line) {
  constexpr std::string_view kMarks = " \t/*#<!->";
  const std::size_t start = line.find_first_not_of(kMarks);
  if (start == std::string_view::npos) return "";
  return line.substr(start, line.find_last_not_of(kMarks) - start + 1);
}

// Calls body(line) for each, with the newline at its end.
template <typename Body>
void ForEachLine(std::string_view text, Body body) {
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    body(text.substr(0, size));
    text.remove_prefix(size);
  }
}

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string Rendered(const TemplateFile& file, const ProjectRequest& request) {
  std::string text = CutSections(file.content, request.ingress, request.egress);
  if (!request.egress) text = ReplaceAll(text, kBothDirections, "KPS_DIRECTIONS_INGRESS");
  if (!request.ingress) text = ReplaceAll(text, kBothDirections, "KPS_DIRECTIONS_EGRESS");
  return ReplaceWord(text, file.folder, request.name);
}

// Of Markdown: what is indented by four.
std::vector<std::string> Commands(std::string_view readme) {
  std::vector<std::string> commands;
  ForEachLine(readme, [&](std::string_view line) {
    if (!line.starts_with("    ")) return;
    line.remove_prefix(4);
    if (line.ends_with('\n')) line.remove_suffix(1);
    commands.emplace_back(line);
  });
  return commands;
}

}  // namespace

std::string CutSections(std::string_view text, bool ingress, bool egress) {
  std::string kept;
  bool keep = true;
  ForEachLine(text, [&](std::string_view line) {
    const std::string_view mark = WithoutCommentMarks(line.substr(0, line.find('\n')));
    if (mark == "begin INGRESS") {
      keep = ingress;
    } else if (mark == "begin EGRESS") {
      keep = egress;
    } else if (mark == "end INGRESS" || mark == "end EGRESS") {
      keep = true;
    } else if (keep) {
      kept += line;
    }
  });
  return kept;
}

std::string ReplaceWord(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced;
  std::size_t start = 0;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, start)) {
    const std::size_t end = at + from.size();
    const bool alone = (at == 0 || !IsWordPart(text[at - 1])) && (end == text.size() || !IsWordPart(text[end]));
    replaced += text.substr(start, at - start);
    replaced += alone ? to : from;
    start = end;
  }
  return replaced += text.substr(start);
}

Result<Project> MakeProject(const ProjectRequest& request) {
  if (const std::string problem = CheckName(request.name); !problem.empty()) return Failure{kExitUsage, problem};
  Project project;
  for (const TemplateFile& file : TemplateFiles()) {
    if (file.folder != FolderOf(request.language)) continue;
    if (file.path == "stream_ingress.json" && !request.ingress) continue;
    if (file.path == "stream_egress.json" && !request.egress) continue;
    project.files.push_back({std::string(file.path), Rendered(file, request)});
    if (file.path == "README.md") project.commands = Commands(project.files.back().content);
  }
  return project;
}

}  // namespace kps::cli
