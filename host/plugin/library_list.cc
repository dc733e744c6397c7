#include "host/plugin/library_list.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "host/plugin/elf_file.h"
#include "host/plugin/file_descriptor.h"

namespace kps {
namespace {

// "\tNAME => PATH (0x...)", "\tNAME => not found", "\t/PATH (0x...)"; the kernel's own library has no file.
std::optional<NeededLibrary> ParseLine(std::string_view line) {
  constexpr std::string_view kArrow = " => ";
  if (!line.starts_with('\t')) return {};  // a complaint about versions
  line.remove_prefix(1);
  const std::size_t arrow = line.find(kArrow);
  if (arrow == std::string_view::npos) return {};
  const std::string name(line.substr(0, arrow));
  const std::string_view found = line.substr(arrow + kArrow.size());
  if (found == "not found") return NeededLibrary{name, ""};
  const std::size_t address = found.rfind(" (0x");
  if (!found.starts_with('/') || address == std::string_view::npos) return {};
  return NeededLibrary{name, std::string(found.substr(0, address))};
}

// This process's, and the variable that makes the loader tell instead of run.
std::vector<std::string> TellingEnvironment() {
  std::vector<std::string> variables{"LD_TRACE_LOADED_OBJECTS=1"};
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What `loader` prints to its stdout about `path`; no value: errno says why it was not run.
std::optional<std::string> RunLoader(const std::string& loader, const std::string& path) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return {};
  const FileDescriptor reading(fds[0]);
  FileDescriptor writing(fds[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  // Who loads the file gets the same complaints, in better words.
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> arguments{loader, path};
  std::vector<std::string> environment = TellingEnvironment();
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, loader.c_str(), &actions, nullptr, Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  writing.Close();
  if (error != 0) {
    errno = error;
    return {};
  }
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(reading.get(), buffer, sizeof buffer)) != 0;) {
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return text;
}

}  // namespace

std::vector<NeededLibrary> ParseLibraryList(std::string_view text) {
  std::vector<NeededLibrary> libraries;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (auto library = ParseLine(line)) libraries.push_back(std::move(*library));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return libraries;
}

std::string OwnLoader() { return InterpreterOf("/proc/self/exe"); }

Result<std::vector<NeededLibrary>> ListLibraries(const std::string& path, const std::string& loader) {
  const auto text = RunLoader(loader, std::filesystem::absolute(path).string());
  if (!text) return Error(Code::kUnavailable, "cannot run " + loader + ": " + std::strerror(errno));
  return ParseLibraryList(*text);
}

}  // namespace kps
