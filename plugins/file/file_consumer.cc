#include "file_consumer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

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

// "log.1" and "log-20260131" of "log"; not what was packed, nor what is still being written beside it.
bool is_rotated_name(std::string_view name, std::string_view of) {
  if (!name.starts_with(of) || name.size() < of.size() + 2) return false;
  const char separator = name[of.size()];
  return (separator == '.' || separator == '-') && name.back() >= '0' && name.back() <= '9';
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
      watch_(settings_.root, directory_, stream.wake_fd),
      // One byte more than the longest line: only then it is known whether a newline ends it.
      buffer_(std::max(kReadBytes, (settings_.lines ? settings_.line_bytes_max : settings_.chunk_bytes) + 1)) {
  if (!position.empty()) {
    resume(position);
  } else if (open_path() && settings_.from_end) {
    place_.offset = static_cast<uint64_t>(stat_of(file_.get(), settings_.path).st_size);
  }
}

void FileConsumer::resume(const std::string& position) {
  const std::optional<FilePlace> left = FilePlace::parse(position);
  if (!left) {
    throw Failure(KPS_DATA_LOSS, "stream " + stream_id_ + ": the position \"" + position +
                                     "\" is not \"v2 DEVICE INODE BIRTH_NS RESTART_NS OFFSET\"");
  }
  const bool same = open_path() && place_.same_file(*left);
  if (!same && !open_rotated(*left)) {
    const std::string lost = "the file that was read last is gone, neither " + settings_.path +
                             " nor a neighbour has its inode " + std::to_string(left->inode) +
                             ": what it held and was not read is lost. Going on with the next file at 0";
    host_.log(KPS_LOG_WARN, stream_id_, lost);
    host_.raise_alert(stream_id_, "fileLost", lost, KPS_SEVERITY_CRITICAL, 0);
    open_next(left->birth_ns);
    return;
  }
  const auto size = static_cast<uint64_t>(stat_of(file_.get(), settings_.path).st_size);
  place_.restart_ns = left->restart_ns;
  place_.offset = left->offset;
  if (size < left->offset) place_.restart();
}

// False when there is no such file (yet).
bool FileConsumer::open_path() {
  // Without O_NONBLOCK a fifo would block here until somebody writes.
  Descriptor file = settings_.root.open(settings_.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (!file.open()) {
    if (errno == ENOENT) return false;
    throw plugin::errno_failure(errno, "open " + settings_.path);
  }
  if (!S_ISREG(stat_of(file.get(), settings_.path).st_mode))
    throw Failure(KPS_INVALID_ARGUMENT, "\"path\": " + settings_.path + " is not a regular file");
  adopt(std::move(file));
  return true;
}

// The regular files beside it that `wanted` wants by their name and inode: `found` gets each, opened, until it is true.
bool FileConsumer::any_neighbour(const std::function<bool(const dirent&)>& wanted,
                                 const std::function<bool(Descriptor&, const FilePlace&)>& found) const {
  Descriptor listed = settings_.root.open(directory_, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(listed.get()), ::closedir);
  if (!directory) return false;
  listed.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    if (!wanted(*entry)) continue;
    Descriptor file = settings_.root.open(directory_ + '/' + entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (!file.open() || !S_ISREG(stat_of(file.get(), entry->d_name).st_mode)) continue;
    if (found(file, FilePlace::of(file.get(), entry->d_name))) return true;
  }
  return false;
}

bool FileConsumer::open_rotated(const FilePlace& left) {
  return any_neighbour([&](const dirent& entry) { return entry.d_ino == left.inode; },
                       [&](Descriptor& file, const FilePlace& place) {
                         if (!left.same_file(place)) return false;
                         adopt(std::move(file));
                         return true;
                       });
}

// The oldest that was born after the file that has been read: the one at the path, or one that was rotated away before
// anybody read it.
bool FileConsumer::open_next(int64_t born_after_ns) {
  if (!open_path()) return false;
  if (born_after_ns == 0 || place_.birth_ns == 0) return true;  // the file system does not tell
  const std::string name = settings_.path.substr(settings_.path.find_last_of('/') + 1);
  Descriptor oldest;
  int64_t oldest_birth_ns = place_.birth_ns;
  any_neighbour([&](const dirent& entry) { return is_rotated_name(entry.d_name, name); },
                [&](Descriptor& file, const FilePlace& place) {
                  if (place.birth_ns > born_after_ns && place.birth_ns < oldest_birth_ns) {
                    oldest_birth_ns = place.birth_ns;
                    oldest = std::move(file);
                  }
                  return false;
                });
  if (oldest.open()) adopt(std::move(oldest));
  return true;
}

void FileConsumer::adopt(Descriptor file) {
  place_ = FilePlace::of(file.get(), settings_.path);
  file_ = std::move(file);
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
      FilePlace next = place_;
      next.offset -= buffered();
      batch.set_position(next.position());
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
    size = ::pread(file_.get(), buffer_.data() + end_, buffer_.size() - end_, static_cast<off_t>(place_.offset));
  } while (size < 0 && errno == EINTR);
  if (size < 0) throw plugin::errno_failure(errno, "read " + settings_.path);
  end_ += static_cast<size_t>(size);
  place_.offset += static_cast<size_t>(size);
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
    add(batch, size);
    begin_ += too_long ? 0 : 1;
  }
}

void FileConsumer::extract_chunks(plugin::Batch& batch) {
  while (buffered() > 0) {
    const size_t size = std::min(buffered(), settings_.chunk_bytes);
    if (!batch.has_room(size)) return;
    add(batch, size);
  }
}

void FileConsumer::add(plugin::Batch& batch, size_t size) {
  const uint64_t begin = place_.offset - buffered();
  char id[80];
  batch.add_borrowed(buffer_.data() + begin_, size);
  batch.set_id(id, place_.write_id(begin, begin + size, id));
  begin_ += size;
  scanned_ = 0;
}

bool FileConsumer::is_read(const struct stat& info) const {
  return info.st_dev == place_.device && info.st_ino == place_.inode;
}

// At the end of what there is: has the file been truncated or replaced?
FileConsumer::AtEnd FileConsumer::look_around(plugin::Batch& batch) {
  if (!file_.open()) return open_path() ? AtEnd::kReadOn : AtEnd::kWait;

  if (static_cast<uint64_t>(stat_of(file_.get(), settings_.path).st_size) < place_.offset) {
    host_.log(KPS_LOG_INFO, stream_id_, settings_.path + " was truncated: starting again at 0");
    place_.restart();
    begin_ = end_ = scanned_ = 0;
    return AtEnd::kReadOn;
  }
  const Descriptor named = settings_.root.open(settings_.path, O_PATH | O_CLOEXEC);
  if (!named.open() || is_read(stat_of(named.get(), settings_.path))) {
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
    add(batch, buffered());
    return AtEnd::kWait;
  }
  return open_next(place_.birth_ns) ? AtEnd::kReadOn : AtEnd::kWait;
}

}  // namespace kps::plugins
