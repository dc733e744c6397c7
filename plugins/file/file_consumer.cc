#include "file_consumer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

constexpr size_t kReadBytes = 256u << 10;

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

struct stat stat_of(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) throw plugin::errno_failure(errno, "stat " + path);
  return info;
}

}  // namespace

FileConsumer::FileConsumer(const plugin::Host& host, const plugin::Stream& stream, FollowSettings settings,
                           const std::string& position)
    : host_(host),
      stream_id_(stream.id),
      settings_(std::move(settings)),
      directory_(directory_of(settings_.path)),
      watch_(directory_, stream.wake_fd),
      // One byte more than the longest line: only then it is known whether a newline ends it.
      buffer_(std::max(kReadBytes, (settings_.lines ? settings_.line_bytes_max : settings_.chunk_bytes) + 1)) {
  if (!position.empty()) {
    resume(position);
  } else if (open_path(0) && settings_.from_end) {
    read_offset_ = stat_of(file_.get(), settings_.path).st_size;
  }
}

void FileConsumer::resume(const std::string& position) {
  uint64_t device = 0, inode = 0, offset = 0;
  int used = 0;
  if (std::sscanf(position.c_str(), "v1 %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &device, &inode, &offset, &used) != 3 ||
      static_cast<size_t>(used) != position.size()) {
    throw Failure(KPS_DATA_LOSS,
                  "stream " + stream_id_ + ": the position \"" + position + "\" is not \"v1 DEVICE INODE OFFSET\"");
  }
  const bool same = open_path(0) && device_ == device && inode_ == inode;
  if (!same && !open_rotated(device, inode)) {
    host_.log(KPS_LOG_WARN, stream_id_,
              "the file that was read last is gone, neither " + settings_.path + " nor a neighbour has its inode " +
                  std::to_string(inode) + ": starting the present file at 0");
    return;
  }
  const off_t size = stat_of(file_.get(), settings_.path).st_size;
  if (static_cast<uint64_t>(size) >= offset) read_offset_ = static_cast<off_t>(offset);
}

// False when there is no such file (yet).
bool FileConsumer::open_path(off_t offset) {
  // Without O_NONBLOCK a fifo would block here until somebody writes.
  Descriptor file(::open(settings_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) {
    if (errno == ENOENT) return false;
    throw plugin::errno_failure(errno, "open " + settings_.path);
  }
  if (!S_ISREG(stat_of(file.get(), settings_.path).st_mode))
    throw Failure(KPS_INVALID_ARGUMENT, "\"path\": " + settings_.path + " is not a regular file");
  adopt(std::move(file), offset);
  return true;
}

bool FileConsumer::open_rotated(dev_t device, ino_t inode) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(directory_.c_str()), ::closedir);
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_ino != inode) continue;
    Descriptor file(::openat(::dirfd(directory.get()), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) continue;
    const struct stat info = stat_of(file.get(), entry->d_name);
    if (info.st_dev != device || info.st_ino != inode || !S_ISREG(info.st_mode)) continue;
    adopt(std::move(file), 0);
    return true;
  }
  return false;
}

void FileConsumer::adopt(Descriptor file, off_t offset) {
  const struct stat info = stat_of(file.get(), settings_.path);
  file_ = std::move(file);
  device_ = info.st_dev;
  inode_ = info.st_ino;
  read_offset_ = offset;
  begin_ = end_ = scanned_ = 0;
  rotated_since_.reset();
  watch_.follow(file_.get());
}

void FileConsumer::next(plugin::Batch& batch, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    extract(batch);
    if (batch.empty() && file_.open() && fill()) continue;
    if (batch.empty() && look_around(batch) == AtEnd::kReadOn) continue;
    if (!batch.empty()) {
      char position[96];
      const int size = std::snprintf(position, sizeof position, "v1 %ju %ju %ju", static_cast<uintmax_t>(device_),
                                     static_cast<uintmax_t>(inode_), static_cast<uintmax_t>(read_offset_) - buffered());
      batch.set_position(position, static_cast<size_t>(size));
      return;
    }
    auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return;
    if (rotated_since_) {
      const auto grace = std::chrono::ceil<milliseconds>(*rotated_since_ + settings_.rotate_wait - Clock::now());
      left = std::clamp(left, milliseconds(0), std::max(grace, milliseconds(1)));
    }
    if (watch_.wait(left) == plugin::Wait::kWoken) return;
  }
}

// Only called when the last batch is done with: its payloads lie in the buffer.
bool FileConsumer::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  ssize_t size;
  do {
    size = ::pread(file_.get(), buffer_.data() + end_, buffer_.size() - end_, read_offset_);
  } while (size < 0 && errno == EINTR);
  if (size < 0) throw plugin::errno_failure(errno, "read " + settings_.path);
  end_ += static_cast<size_t>(size);
  read_offset_ += size;
  return size > 0;
}

void FileConsumer::extract(plugin::Batch& batch) {
  if (settings_.lines) {
    extract_lines(batch);
  } else {
    extract_chunks(batch);
  }
}

void FileConsumer::extract_lines(plugin::Batch& batch) {
  while (buffered() > 0) {
    const char* line = buffer_.data() + begin_;
    const void* newline = std::memchr(line + scanned_, '\n', buffered() - scanned_);
    size_t size = newline == nullptr ? buffered() : static_cast<size_t>(static_cast<const char*>(newline) - line);
    const bool too_long = size > settings_.line_bytes_max;
    if (newline == nullptr && !too_long) {
      scanned_ = buffered();
      return;
    }
    if (too_long) size = settings_.line_bytes_max;
    if (!batch.has_room(size)) return;
    batch.add_borrowed(line, size);
    begin_ += size + (too_long ? 0 : 1);
    scanned_ = 0;
  }
}

void FileConsumer::extract_chunks(plugin::Batch& batch) {
  while (buffered() > 0) {
    const size_t size = std::min(buffered(), settings_.chunk_bytes);
    if (!batch.has_room(size)) return;
    batch.add_borrowed(buffer_.data() + begin_, size);
    begin_ += size;
  }
}

// At the end of what there is: has the file been truncated or replaced?
FileConsumer::AtEnd FileConsumer::look_around(plugin::Batch& batch) {
  if (!file_.open()) return open_path(0) ? AtEnd::kReadOn : AtEnd::kWait;

  if (stat_of(file_.get(), settings_.path).st_size < read_offset_) {
    host_.log(KPS_LOG_INFO, stream_id_, settings_.path + " was truncated: starting again at 0");
    read_offset_ = 0;
    begin_ = end_ = scanned_ = 0;
    return AtEnd::kReadOn;
  }
  struct stat named;
  if (::stat(settings_.path.c_str(), &named) != 0 || (named.st_dev == device_ && named.st_ino == inode_)) {
    // Moved away and not replaced yet: its writer may still append.
    rotated_since_.reset();
    return AtEnd::kWait;
  }
  // A writer goes on with the old file until it has been told to open the new one.
  if (!rotated_since_) rotated_since_ = Clock::now();
  if (Clock::now() - *rotated_since_ < settings_.rotate_wait) return AtEnd::kWait;
  if (fill()) {
    rotated_since_ = Clock::now();
    return AtEnd::kReadOn;
  }
  if (buffered() > 0) {  // the newline will never come
    batch.add_borrowed(buffer_.data() + begin_, buffered());
    begin_ = end_;
    scanned_ = 0;
    return AtEnd::kWait;
  }
  return open_path(0) ? AtEnd::kReadOn : AtEnd::kWait;
}

}  // namespace kps::plugins
