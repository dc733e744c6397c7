#include "file_producer.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace kps::plugins {
namespace {

constexpr size_t kMessagesPerWrite = 256;

ssize_t write_vector(int fd, const iovec* parts, size_t count) {
  ssize_t written;
  do {
    written = ::writev(fd, parts, static_cast<int>(count));
  } while (written < 0 && errno == EINTR);
  return written;
}

}  // namespace

FileProducer::FileProducer(const FileRoot& root, std::string path, bool lines)
    : path_(std::move(path)),
      lines_(lines),
      file_(root.open(path_, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644)) {
  if (!file_.open()) throw plugin::errno_failure(errno, "open " + path_);
}

void FileProducer::fail(int number) const { throw plugin::errno_failure(number, "write " + path_); }

void FileProducer::produce(const plugin::Messages& messages, std::chrono::milliseconds, size_t& taken) {
  refuse_after_lost_sync();
  write_rest();
  while (taken < messages.size()) {
    const size_t count = append_some(messages, taken);
    if (count == 0) return;
    taken += count;
  }
}

// Returns how many messages, from `first` on, are in the file as a whole (or will be, by rest_). Fails only when
// it is none.
size_t FileProducer::append_some(const plugin::Messages& messages, size_t first) {
  std::array<iovec, 2 * kMessagesPerWrite> parts;
  static char newline = '\n';
  size_t part_count = 0;
  const size_t last = std::min(messages.size(), first + kMessagesPerWrite);
  size_t want = 0;
  for (size_t i = first; i < last; ++i) {
    parts[part_count++] = {const_cast<char*>(messages[i].data), messages[i].size};
    want += messages[i].size;
    if (!lines_) continue;
    parts[part_count++] = {&newline, 1};
    ++want;
  }
  const ssize_t result = write_vector(file_.get(), parts.data(), part_count);
  if (result < 0) fail(errno);

  size_t written = static_cast<size_t>(result);
  if (written == want) return last - first;
  size_t whole = first;
  const auto bytes_of = [&](size_t index) { return messages[index].size + (lines_ ? 1 : 0); };
  while (written >= bytes_of(whole)) written -= bytes_of(whole++);
  if (written == 0) return whole - first;

  // Message `whole` was cut: complete it or take it back, so that the file never ends in half a message.
  std::string rest = messages[whole].text() + (lines_ ? "\n" : "");
  rest.erase(0, written);
  while (!rest.empty()) {
    const ssize_t more = ::write(file_.get(), rest.data(), rest.size());
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    written += static_cast<size_t>(more);
    rest.erase(0, static_cast<size_t>(more));
  }
  if (rest.empty()) return whole - first + 1;
  const int number = errno;
  const off_t end = ::lseek(file_.get(), 0, SEEK_CUR);
  if (end >= static_cast<off_t>(written) && ::ftruncate(file_.get(), end - static_cast<off_t>(written)) == 0) {
    if (whole == first) fail(number);
    return whole - first;
  }
  rest_ = std::move(rest);
  return whole - first + 1;
}

void FileProducer::write_rest() {
  while (!rest_.empty()) {
    const ssize_t written = ::write(file_.get(), rest_.data(), rest_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    rest_.erase(0, static_cast<size_t>(written));
  }
}

void FileProducer::flush(std::chrono::milliseconds) {
  refuse_after_lost_sync();
  write_rest();
  // Devices and pipes have nothing to sync and say so with EINVAL.
  if (::fdatasync(file_.get()) == 0 || errno == EINVAL || errno == EROFS) return;
  lost_sync_ = true;
  throw plugin::errno_failure(errno, "fdatasync " + path_);
}

void FileProducer::refuse_after_lost_sync() const {
  if (lost_sync_)
    throw plugin::Failure(KPS_DATA_LOSS, path_ + ": what was written last may be lost, as it could not be synced");
}

}  // namespace kps::plugins
