#include "host/plugin/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "host/plugin/file_descriptor.h"
#include "host/plugin/sha256.h"

namespace kps {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 5;  // to copy a file that changes
constexpr std::size_t kNameSizeMax = 200;
constexpr mode_t kReadAndExecute = S_IRUSR | S_IXUSR;

// For the whole process: a directory's name may come back, a path must not.
std::atomic<std::uint64_t> last_number{0};

Error FileError(const std::string& what, int error) {
  Code code = Code::kUnavailable;
  std::string advice;
  switch (error) {
    case ENOENT:
    case ENOTDIR: code = Code::kNotFound; break;
    case EACCES:
    case EPERM:
    case EROFS: code = Code::kPermissionDenied; break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = Code::kResourceExhausted;
      advice = ": make room there, or set TMPDIR to a directory that has some";
      break;
    case EMFILE:
    case ENFILE:
    case ENOMEM: code = Code::kResourceExhausted; break;
    default: break;
  }
  return Error(code, what + ": " + std::strerror(error) + advice);
}

// What differs when somebody has written to the file, or has put another one in its place.
bool SameState(const struct stat& a, const struct stat& b) {
  const auto same = [](const timespec& x, const timespec& y) { return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec; };
  return a.st_size == b.st_size && same(a.st_mtim, b.st_mtim) && same(a.st_ctim, b.st_ctim);
}

bool WriteAll(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// The SHA-256 of what was copied; no value: the file has changed meanwhile.
Result<std::optional<std::string>> CopyOnce(const std::string& source, const std::string& target) {
  // A FIFO would block without O_NONBLOCK.
  const FileDescriptor in(open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in.ok()) return FileError("cannot read " + source, errno);
  struct stat before {};
  if (fstat(in.get(), &before) != 0) return FileError("cannot read " + source, errno);
  if (!S_ISREG(before.st_mode)) {
    return Error(Code::kInvalidArgument, source + " is no regular file: name the shared library itself");
  }
  const FileDescriptor out(open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadAndExecute));
  if (!out.ok()) return FileError("cannot make " + target, errno);

  Sha256 hash;
  std::int64_t copied = 0;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("cannot read " + source, errno);
    if (count == 0) break;
    if (!WriteAll(out.get(), buffer.data(), static_cast<std::size_t>(count))) {
      return FileError("cannot write " + target, errno);
    }
    hash.Add(buffer.data(), static_cast<std::size_t>(count));
    copied += count;
  }
  struct stat after {};
  if (fstat(in.get(), &after) != 0) return FileError("cannot read " + source, errno);
  if (!SameState(before, after) || copied != after.st_size) return std::optional<std::string>();
  std::string sha256 = hash.Finish();
  if (sha256.empty()) return Error(Code::kInternal, "libcrypto cannot compute the SHA-256 of " + source);
  return std::optional<std::string>(std::move(sha256));
}

// A new directory for this user alone; or why there is none.
Result<PrivateDirectory> MakeDirectoryBelow(const std::string& parent) {
  struct statvfs file_system {};
  if (statvfs(parent.c_str(), &file_system) != 0) return Error(Code::kUnavailable, std::strerror(errno));
  if ((file_system.f_flag & ST_NOEXEC) != 0) {
    return Error(Code::kUnavailable, "mounted noexec, so that no library can be loaded from there");
  }
  return PrivateDirectory::MakeBelow(parent, "kps-plugins-");
}

}  // namespace

Result<std::unique_ptr<Snapshots>> Snapshots::Open() {
  std::vector<std::string> parents;
  const char* const chosen = std::getenv("TMPDIR");
  if (chosen != nullptr && *chosen != '\0') parents.emplace_back(chosen);
  parents.emplace_back("/tmp");
  parents.emplace_back("/dev/shm");
  return OpenBelow(parents);
}

Result<std::unique_ptr<Snapshots>> Snapshots::OpenBelow(const std::vector<std::string>& parents) {
  std::string tried;
  for (const std::string& parent : parents) {
    Result<PrivateDirectory> directory = MakeDirectoryBelow(parent);
    if (directory.ok()) return std::unique_ptr<Snapshots>(new Snapshots(std::move(directory.value())));
    tried += (tried.empty() ? "" : "; ") + parent + " (" + directory.error().message() + ")";
  }
  return Error(Code::kUnavailable,
               "there is no directory for copies of plugins, which are loaded instead of the files "
               "themselves. Tried: " +
                   tried + ". Set TMPDIR to a directory that can be written to and is not mounted noexec");
}

Result<Snapshot> Snapshots::Take(const std::string& source) {
  std::string name = fs::path(source).stem().string();
  name.resize(std::min(name.size(), kNameSizeMax));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint64_t number = ++last_number;
    const std::string path = directory() + "/" + name + "." + std::to_string(number) + ".so";
    const auto copied = CopyOnce(source, path);
    if (copied.ok() && copied.value().has_value()) return Snapshot{path, *copied.value()};
    unlink(path.c_str());
    if (!copied.ok()) return copied.error();
  }
  return Error(Code::kUnavailable, source + " has changed each of the " + std::to_string(kAttempts) +
                                       " times that it was copied: it is perhaps still being written; write to another "
                                       "name, then rename");
}

void Snapshots::Keep(const Snapshot& snapshot) {
  kept_.push_back(snapshot.path);
  while (kept_.size() > kFilesKept) {
    unlink(kept_.front().c_str());
    kept_.pop_front();
  }
}

void Snapshots::Discard(const Snapshot& snapshot) {
  std::erase(kept_, snapshot.path);
  unlink(snapshot.path.c_str());
}

}  // namespace kps
