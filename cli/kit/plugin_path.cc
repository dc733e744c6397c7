#include "cli/kit/plugin_path.h"

#include <CLI/App.hpp>
#include <filesystem>

#include "host/plugin/find.h"

namespace kps::cli {

void AddPluginPath(CLI::App* command, std::string* path) {
  command->add_option("--plugin-path", *path, "directories in which plugins are looked for by name, as the host does")
      ->type_name("DIR:DIR")
      ->envname("KPS_PLUGIN_PATH")
      ->default_str(kDefaultPluginPath);
}

std::vector<std::string> PluginDirectories(const std::string& path) {
  if (!path.empty()) return SplitSearchPath(path);
  std::error_code unknown;
  return DefaultPluginDirectories(std::filesystem::read_symlink("/proc/self/exe", unknown).string());
}

namespace {

// What a path leads to that is there, and no file; empty: nothing, or a file.
std::string WhatIsAt(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  switch (fs::status(path, unknown).type()) {
    case fs::file_type::directory: return "a directory";
    case fs::file_type::fifo: return "a FIFO";
    case fs::file_type::socket: return "a socket";
    case fs::file_type::block:
    case fs::file_type::character: return "a device";
    case fs::file_type::not_found: break;
    default: return "";
  }
  const fs::path target = fs::read_symlink(path, unknown);
  return unknown ? "" : "a symbolic link to " + target.string() + ", which is not there";
}

}  // namespace

Result<std::string> ChoosePlugin(const std::string& plugin, const std::vector<std::string>& directories) {
  auto file = FindPlugin(plugin, directories);
  if (file.ok()) return file.value();
  const bool is_path = plugin.find('/') != std::string::npos || std::filesystem::path(plugin).extension() == ".so";
  const std::string what = is_path ? WhatIsAt(plugin) : "";
  if (!what.empty()) return Failure{kExitUsage, plugin + " is no plugin file, but " + what};
  return Failure{kExitUsage, file.error().message()};
}

}  // namespace kps::cli
