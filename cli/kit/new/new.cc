#include "cli/kit/new/new.h"

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <ostream>

#include "cli/kit/new/write_project.h"
#include "host/core/json.h"

namespace kps::cli {
namespace {

struct Arguments {
  std::string name;
  std::string language = "cpp";
  std::string direction = "both";
  std::string directory;  // empty: that of the name
};

struct LanguageName {
  Language language;
  const char* name;  // for people
};

const std::map<std::string, LanguageName>& Languages() {
  static const std::map<std::string, LanguageName> kLanguages{
      {"cpp", {Language::kCpp, "C++"}}, {"c", {Language::kC, "C"}}, {"rust", {Language::kRust, "Rust"}}};
  return kLanguages;
}

// A directory as one word of the shell.
std::string Quoted(const std::string& directory) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+";
  if (directory.find_first_not_of(kPlain) == std::string::npos) return directory;
  std::string quoted = "'";
  for (const char c : directory) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

void PrintJson(const std::string& directory, const std::vector<std::string>& commands, std::ostream& out) {
  out << R"({"directory":)" << JsonString(directory) << R"(,"commands":[)";
  for (std::size_t i = 0; i < commands.size(); ++i) out << (i == 0 ? "" : ",") << JsonString(commands[i]);
  out << "]}\n";
}

ExitCode New(const Arguments& arguments, const ToolContext& context) {
  const LanguageName& language = Languages().at(arguments.language);
  const auto project = MakeProject({.name = arguments.name,
                                    .language = language.language,
                                    .ingress = arguments.direction != "egress",
                                    .egress = arguments.direction != "ingress"});
  const std::string directory = arguments.directory.empty() ? arguments.name : arguments.directory;
  std::optional<Failure> failure;
  if (project.ok()) {
    failure = WriteProject(project.value(), directory);
  } else {
    failure = project.failure();
  }
  if (failure) {
    context.err << failure->text << "\n";
    return failure->exit_code;
  }

  std::vector<std::string> commands = project.value().commands;
  commands.insert(commands.begin(), "cd " + Quoted(directory));
  if (context.json) {
    PrintJson(directory, commands, context.out);
    return kExitOk;
  }
  context.out << directory << " holds a plugin in " << language.name << ". To build, test and run it:\n\n";
  for (const std::string& command : commands) context.out << "    " << command << "\n";
  context.out << "\nIts README.md says more.\n";
  return kExitOk;
}

}  // namespace

void AddNew(CLI::App* group, ToolJob* job) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = group->add_subcommand("new", "Write the project of a new plugin")->fallthrough();
  command->add_option("NAME", arguments->name, "of the plugin: [a-z][a-z0-9-]*")->required();
  command->add_option("--lang", arguments->language, "cpp, c or rust")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"cpp", "c", "rust"}).description(""))
      ->capture_default_str();
  command->add_option("--direction", arguments->direction, "of its streams: ingress, egress or both")
      ->type_name("DIRECTION")
      ->check(CLI::IsMember({"ingress", "egress", "both"}).description(""))
      ->capture_default_str();
  command->add_option("--dir", arguments->directory, "to be made for it; by default NAME, here")->type_name("DIR");
  command->callback(
      [arguments, job] { *job = [arguments](const ToolContext& context) { return New(*arguments, context); }; });
}

}  // namespace kps::cli
