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

Result<std::string> ChoosePlugin(const std::string& plugin, const std::vector<std::string>& directories) {
  auto file = FindPlugin(plugin, directories);
  if (!file.ok()) return Failure{kExitUsage, file.error().message()};
  return file.value();
}

}  // namespace kps::cli
