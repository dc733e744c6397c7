#include "host/plugin/private_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace kps {
namespace {

namespace fs = std::filesystem;

// Open, and locked by the caller; not ok: it is another process's, or another user's, or gone.
FileDescriptor LockOwn(const std::string& path) {
  FileDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat state {};
  if (!directory.ok() || fstat(directory.get(), &state) != 0 || state.st_uid != geteuid()) return {};
  if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) return {};
  // Whoever had the lock before may have removed it.
  if (fstat(directory.get(), &state) != 0 || state.st_nlink == 0) return {};
  return directory;
}

void RemoveAbandoned(const std::string& parent, const std::string& prefix) {
  std::error_code error;  // what cannot be removed stays
  for (fs::directory_iterator each(parent, error), end; !error && each != end; each.increment(error)) {
    const fs::path path = each->path();
    if (path.filename().string().rfind(prefix, 0) != 0) continue;
    const FileDescriptor locked = LockOwn(path);
    std::error_code ignored;
    if (locked.ok()) fs::remove_all(path, ignored);
  }
}

}  // namespace

Result<PrivateDirectory> PrivateDirectory::MakeBelow(const std::string& parent, const std::string& prefix) {
  RemoveAbandoned(parent, prefix);
  std::error_code no_directory;  // only a current directory that is gone
  const std::string pattern = (fs::absolute(parent, no_directory) / (prefix + "XXXXXX")).string();
  // Until it is locked, another process may take it for an abandoned one.
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string path = pattern;
    if (mkdtemp(path.data()) == nullptr) return Error(Code::kUnavailable, std::strerror(errno));
    FileDescriptor locked = LockOwn(path);
    if (locked.ok()) return PrivateDirectory(std::move(path), std::move(locked));
  }
  return Error(Code::kUnavailable, "directories there cannot be locked, or vanish");
}

PrivateDirectory::~PrivateDirectory() {
  if (!locked_.ok()) return;  // moved from
  std::error_code ignored;    // there is nobody left to tell
  fs::remove_all(path_, ignored);
}

}  // namespace kps
