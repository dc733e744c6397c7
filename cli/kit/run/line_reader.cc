#include "cli/kit/run/line_reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace kps::cli {

LineReader::LineReader(int fd, std::stop_token stop)
    : fd_(fd), stop_(std::move(stop)), stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wake_(stop_, [this] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = write(stop_fd_.get(), &one, sizeof one);  // fails only when readable
      }) {}

bool LineReader::TakeLine(std::string* line) {
  const std::size_t newline = read_.find('\n', looked_);
  looked_ = std::min(newline, read_.size());
  if (newline == std::string::npos) return false;
  line->assign(read_, begin_, newline - begin_);
  begin_ = looked_ = newline + 1;
  return true;
}

LineReader::Outcome LineReader::Next(std::string* line) {
  for (char buffer[64 * 1024];;) {
    if (stop_.stop_requested()) return Outcome::kStopped;
    if (TakeLine(line)) return Outcome::kLine;
    if (ended_) {
      if (begin_ == read_.size()) return Outcome::kEnd;
      line->assign(read_, begin_);
      begin_ = looked_ = read_.size();
      return Outcome::kLine;
    }
    read_.erase(0, begin_);
    looked_ -= begin_;
    begin_ = 0;
    if (read_.size() > kLineBytesMax) return Outcome::kTooLong;
    pollfd fds[] = {{fd_, POLLIN, 0}, {stop_fd_.get(), POLLIN, 0}};
    if (poll(fds, std::size(fds), -1) < 0 || fds[0].revents == 0) continue;  // EINTR, or the stop
    const ssize_t count = read(fd_, buffer, sizeof buffer);
    if (count < 0 && errno != EINTR && errno != EAGAIN) return Outcome::kFailed;
    if (count > 0) read_.append(buffer, static_cast<std::size_t>(count));
    ended_ = count == 0;
  }
}

}  // namespace kps::cli
