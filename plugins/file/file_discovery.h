// Which files there are that a stream could follow.
#ifndef KPS_PLUGINS_FILE_FILE_DISCOVERY_H
#define KPS_PLUGINS_FILE_FILE_DISCOVERY_H

#include <chrono>
#include <string>
#include <vector>

#include "file_root.h"

namespace kps::plugins {

constexpr size_t kDiscoveredFilesMax = 10000;

// The regular files that match `pattern`, as in a shell ("/var/log/*.log"), in order; at most kDiscoveredFilesMax, and
// what was looked at within `timeout`; none that is not below `root`. Directories that cannot be read are passed over;
// throws when nothing else is left.
std::vector<std::string> discover_files(const std::string& pattern, const FileRoot& root,
                                        std::chrono::milliseconds timeout);

}  // namespace kps::plugins

#endif
