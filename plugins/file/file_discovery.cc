#include "file_discovery.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include <cerrno>
#include <kps/plugin.hpp>

namespace kps::plugins {
namespace {

// What glob(3) has allocated.
struct Matches {
  ~Matches() { ::globfree(&found); }
  glob_t found{};
};

// The first directory's error that is worth a word, while this thread is in glob(3), whose callback has no context.
thread_local int glob_error = 0;

int remember_error(const char*, int error) {
  if (glob_error == 0 && error != ENOENT && error != ENOTDIR) glob_error = error;
  return 0;  // the other directories count
}

// Not where it leads out of the root: no stream could read it.
bool is_regular(const FileRoot& root, const char* path) {
  try {
    const Descriptor file = root.open(path, O_PATH | O_CLOEXEC);
    struct stat info;
    return file.open() && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode);
  } catch (const plugin::Failure&) {
    return false;
  }
}

}  // namespace

std::vector<std::string> discover_files(const std::string& pattern, const FileRoot& root,
                                        std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Matches matches;
  glob_error = 0;
  const int result = ::glob(pattern.c_str(), 0, remember_error, &matches.found);
  if (result == GLOB_NOSPACE)
    throw plugin::Failure(KPS_RESOURCE_EXHAUSTED, "\"discover\": " + pattern + ": out of memory");
  std::vector<std::string> files;
  for (size_t i = 0; i < matches.found.gl_pathc && files.size() < kDiscoveredFilesMax; ++i) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    if (is_regular(root, matches.found.gl_pathv[i])) files.emplace_back(matches.found.gl_pathv[i]);
  }
  if (files.empty() && glob_error != 0) throw plugin::errno_failure(glob_error, "\"discover\": " + pattern);
  return files;
}

}  // namespace kps::plugins
