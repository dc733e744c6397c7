// A new plugin's project, made in memory from a template (samples/plugins/README.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/result.h"

namespace kps::cli {

enum class Language { kCpp, kC, kRust };

struct ProjectRequest {
  std::string name;  // of the plugin
  Language language = Language::kCpp;
  bool ingress = true;  // at least one of the two
  bool egress = true;
};

struct ProjectFile {
  std::string path;  // below the project's directory
  std::string content;
};

struct Project {
  std::vector<ProjectFile> files;
  std::vector<std::string> commands;  // that build, test and run it: those that its README shows
};

// A failure says what is wrong with the name.
Result<Project> MakeProject(const ProjectRequest& request);

// Without the sections of a direction that is not asked for, and without the lines that mark the others.
std::string CutSections(std::string_view text, bool ingress, bool egress);

// Every `from` that stands as a word of its own becomes `to`. Letters, digits, - and _ make words.
std::string ReplaceWord(std::string_view text, std::string_view from, std::string_view to);

}  // namespace kps::cli
