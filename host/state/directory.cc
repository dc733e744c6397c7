#include "host/state/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <utility>

namespace kps {
namespace {

constexpr char kLockName[] = "lock";
constexpr char kTemporarySuffix[] = ".tmp";
constexpr std::size_t kFileBytesMax = std::size_t{1} << 30;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error SystemError(const std::string& what, int number) {
  Code code = Code::kUnavailable;
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE: code = Code::kResourceExhausted; break;
    case EACCES:
    case EPERM:
    case EROFS: code = Code::kPermissionDenied; break;
    default: break;
  }
  return Error(code, what + ": " + std::system_category().message(number));
}

// Until it has all, the end of the file, or an error: the number of bytes, or -1.
template <typename Call>
ssize_t Repeat(std::size_t size, Call call) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = call(done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

// The entry of a new directory is safe only when its parent is.
Error MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) != 0) {
    if (errno == EEXIST) return {};
    return SystemError("cannot make the state directory " + path, errno);
  }
  const Fd parent(open((path + "/..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || fsync(parent.get()) != 0) return SystemError("cannot save that " + path + " was made", errno);
  return {};
}

std::string NowAsName() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

}  // namespace

Result<std::unique_ptr<Directory>> Directory::Open(const std::string& path) {
  if (Error error = MakeDirectory(path); !error.ok()) return error;
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 && errno == ENOTDIR) {
    return Error(Code::kInvalidArgument, path + " is not a directory: name one for the state, or one that can be made");
  }
  if (fd.get() < 0) return SystemError("cannot open the state directory " + path, errno);
  Fd lock(openat(fd.get(), kLockName, O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
  if (lock.get() < 0) return SystemError("cannot write in the state directory " + path, errno);
  std::unique_ptr<Directory> directory(new Directory(path, fd.release(), lock.release()));
  if (Error error = directory->Lock(); !error.ok()) return error;
  return directory;
}

// The kernel ends the lock with the process, so that nothing is left to clean up after a crash.
Error Directory::Lock() const {
  char pid[16] = "";
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("cannot lock the state directory " + path_, errno);
    const ssize_t size = pread(lock_fd_, pid, sizeof pid - 1, 0);
    const std::string owner(pid, size > 0 ? static_cast<std::size_t>(size) : 0);
    return Error(Code::kFailedPrecondition,
                 "the state directory " + path_ + " is in use by " +
                     (owner.empty() ? "another process" : "process " + owner.substr(0, owner.find('\n'))) +
                     ": stop that one, or use another directory");
  }
  // For people only: on a full disk it stays empty, and the lock holds all the same.
  const int size = std::snprintf(pid, sizeof pid, "%ld\n", static_cast<long>(getpid()));
  if (ftruncate(lock_fd_, 0) != 0 || pwrite(lock_fd_, pid, static_cast<std::size_t>(size), 0) != size) return {};
  return {};
}

Directory::~Directory() {
  close(lock_fd_);
  close(fd_);
}

Result<std::optional<std::string>> Directory::Read(const std::string& name) const {
  // Nonblocking: a pipe of that name would be waited for.
  const Fd file(openat(fd_, name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::optional<std::string>();
  struct stat info {};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return SystemError("cannot read " + PathOf(name), errno);
  if (!S_ISREG(info.st_mode)) return Error(Code::kDataLoss, "is no file");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kFileBytesMax) return Error(Code::kDataLoss, "is larger than 1 GiB, which no file of this program is");
  std::string content(size, '\0');
  const ssize_t count =
      Repeat(size, [&](std::size_t done) { return read(file.get(), content.data() + done, size - done); });
  if (count < 0) return SystemError("cannot read " + PathOf(name), errno);
  content.resize(static_cast<std::size_t>(count));
  return std::optional<std::string>(std::move(content));
}

Error Directory::Replace(const std::string& name, std::string_view content) const {
  const std::string temporary = name + kTemporarySuffix;
  Error error = Write(temporary, content);
  if (error.ok() && renameat(fd_, temporary.c_str(), fd_, name.c_str()) != 0) {
    error = SystemError("cannot replace " + PathOf(name), errno);
  }
  if (!error.ok()) {
    unlinkat(fd_, temporary.c_str(), 0);  // on a full disk, its blocks are missed
    return error;
  }
  if (fsync(fd_) != 0) return SystemError("cannot save that " + PathOf(name) + " was replaced", errno);
  return {};
}

Error Directory::Write(const std::string& name, std::string_view content) const {
  const std::string what = "cannot write " + PathOf(name);
  const Fd file(openat(fd_, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly));
  if (file.get() < 0) return SystemError(what, errno);
  const ssize_t count = Repeat(content.size(), [&](std::size_t done) {
    return write(file.get(), content.data() + done, content.size() - done);
  });
  if (count != static_cast<ssize_t>(content.size())) return SystemError(what, count < 0 ? errno : EIO);
  if (fsync(file.get()) != 0) return SystemError(what, errno);
  return {};
}

Error Directory::RemoveTemporary(const std::string& name) const {
  const std::string temporary = name + kTemporarySuffix;
  if (unlinkat(fd_, temporary.c_str(), 0) == 0 || errno == ENOENT) return {};
  return SystemError("cannot remove " + PathOf(temporary), errno);
}

Result<std::string> Directory::SetAside(const std::string& name) const {
  const std::string base = name + ".bad-" + NowAsName();
  std::string aside = base;
  // The directory is ours alone: what is free stays free.
  for (int i = 2; faccessat(fd_, aside.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0; ++i) {
    aside = base + '-' + std::to_string(i);
  }
  if (renameat(fd_, name.c_str(), fd_, aside.c_str()) != 0 || fsync(fd_) != 0) {
    return SystemError("cannot rename " + PathOf(name) + " to " + aside, errno);
  }
  return aside;
}

}  // namespace kps
