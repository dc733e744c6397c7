#include "file_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <kps/plugin.hpp>
#include <utility>

namespace kps::plugins {
namespace {

using plugin::Failure;

// openat(2) that never leaves `directory` (openat2(2), Linux 5.6).
int openat_beneath(int directory, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<__u64>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  int fd;
  do {
    fd = static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how));
  } while (fd < 0 && errno == EAGAIN);  // something on the way was renamed meanwhile
  return fd;
}

}  // namespace

FileRoot::FileRoot(std::string root) : root_(std::move(root)) {
  if (root_.empty()) return;
  if (root_.front() != '/') throw Failure(KPS_INVALID_ARGUMENT, "\"root\": " + root_ + " is not an absolute path");
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  if (!Descriptor(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)).open())
    throw plugin::errno_failure(errno, "\"root\": open the directory " + root_);
}

Descriptor FileRoot::open(const std::string& path, int flags, mode_t mode) const {
  if (root_.empty()) return Descriptor(::open(path.c_str(), flags, mode));
  Descriptor file = open_below(path, flags, mode);
  if (!file.open() && errno == EXDEV) {
    throw Failure(KPS_PERMISSION_DENIED,
                  path + " leads out of " + root_ + ", the static parameter \"root\": name a file below it");
  }
  if (!file.open() && errno == ENOSYS) {
    throw Failure(KPS_FAILED_PRECONDITION,
                  "this system cannot keep paths below \"root\": that needs Linux 5.6 or later");
  }
  return file;
}

Descriptor FileRoot::open_below(const std::string& path, int flags, mode_t mode) const {
  const Descriptor root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.open()) return Descriptor();
  if (path.front() != '/') return Descriptor(openat_beneath(root.get(), path, flags, mode));
  const std::string prefix = root_ == "/" ? root_ : root_ + '/';
  if (path.compare(0, prefix.size(), prefix) == 0) {
    const size_t begin = path.find_first_not_of('/', prefix.size());
    return Descriptor(openat_beneath(root.get(), begin == std::string::npos ? "." : path.substr(begin), flags, mode));
  }
  if (path == root_) return Descriptor(openat_beneath(root.get(), ".", flags, mode));
  errno = EXDEV;
  return Descriptor();
}

}  // namespace kps::plugins
