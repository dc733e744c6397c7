// Finds plugin files on a search path of directories.
#pragma once

#include <string>
#include <vector>

#include "host/core/error.h"

namespace kps {

// Where plugins are looked for when nobody says where: the default of --plugin-path, whose relative parts are relative
// to the folder of the program. The first is that of a build tree, the second of an installation, the third of an
// image.
constexpr char kDefaultPluginPath[] = "../plugins:../lib/kps-connector/plugins:/connectors/plugins";

// Those directories. `program` is the path of the program that runs.
std::vector<std::string> DefaultPluginDirectories(const std::string& program);

// "a:b" -> {"a", "b"}; empty parts are left out.
std::vector<std::string> SplitSearchPath(const std::string& path);

// Names of the plugins in the directories (files NAME.so), sorted, each once.
std::vector<std::string> ListPlugins(const std::vector<std::string>& directories);

// The file of a plugin: `plugin` itself when it holds a slash or ends in .so, else the first DIRECTORY/plugin.so. A
// name has no dot, or it is INVALID_ARGUMENT. NOT_FOUND names what was looked for, where, and the plugins that exist.
Result<std::string> FindPlugin(const std::string& plugin, const std::vector<std::string>& directories);

// "Plugins found: file, generator (in /a, /b)." or "No plugin was found in /a, /b."
std::string DescribePlugins(const std::vector<std::string>& directories);

}  // namespace kps
