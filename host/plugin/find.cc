#include "host/plugin/find.h"

#include <filesystem>
#include <set>

namespace kps {
namespace {

namespace fs = std::filesystem;

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

std::vector<std::string> DefaultPluginDirectories(const std::string& program) {
  std::vector<std::string> directories;
  for (const std::string& part : SplitSearchPath(kDefaultPluginPath)) {
    directories.push_back((fs::path(program).parent_path() / part).lexically_normal().string());
  }
  return directories;
}

std::vector<std::string> SplitSearchPath(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    if (end > start) parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::vector<std::string> ListPlugins(const std::vector<std::string>& directories) {
  std::set<std::string> names;
  for (const std::string& directory : directories) {
    std::error_code ignored;  // a directory that is not there holds no plugins
    for (fs::directory_iterator entry(directory, ignored), end; entry != end; entry.increment(ignored)) {
      std::error_code no_file;  // FindPlugin takes regular files only
      if (entry->path().extension() == ".so" && entry->is_regular_file(no_file)) {
        names.insert(entry->path().stem().string());
      }
      if (ignored) break;
    }
  }
  return {names.begin(), names.end()};
}

std::string DescribePlugins(const std::vector<std::string>& directories) {
  const auto names = ListPlugins(directories);
  if (names.empty()) return "No plugin was found in " + Joined(directories) + ".";
  return "Plugins found: " + Joined(names) + " (in " + Joined(directories) + ").";
}

Result<std::string> FindPlugin(const std::string& plugin, const std::vector<std::string>& directories) {
  std::error_code ignored;
  if (plugin.find('/') != std::string::npos || fs::path(plugin).extension() == ".so") {
    if (fs::is_regular_file(plugin, ignored)) return plugin;
    return Error(Code::kNotFound, "there is no plugin file " + plugin + ". " + DescribePlugins(directories));
  }
  if (plugin.empty() || plugin.find('.') != std::string::npos) {
    return Error(Code::kInvalidArgument, "\"" + plugin +
                                             "\" is no name of a plugin, which has no dot; a path has a slash, "
                                             "as ./" +
                                             plugin + ". " + DescribePlugins(directories));
  }
  for (const std::string& directory : directories) {
    const fs::path file = fs::path(directory) / (plugin + ".so");
    if (fs::is_regular_file(file, ignored)) return file.string();
  }
  return Error(Code::kNotFound, "there is no plugin \"" + plugin + "\". " + DescribePlugins(directories));
}

}  // namespace kps
