// Which plugin a tool is about: a file, or a name that is looked for as the host does.
#pragma once

#include <string>
#include <vector>

#include "cli/result.h"

namespace CLI {
class App;
}

namespace kps::cli {

// The option --plugin-path, or its variable. `path` outlives the command line.
void AddPluginPath(CLI::App* command, std::string* path);

// The directories of --plugin-path, which may be empty: then those of this program.
std::vector<std::string> PluginDirectories(const std::string& path);

// The file of `plugin`, or the failure that says where it was looked for.
Result<std::string> ChoosePlugin(const std::string& plugin, const std::vector<std::string>& directories);

}  // namespace kps::cli
