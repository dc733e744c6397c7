// Lines of a descriptor, until a stop.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "host/plugin/file_descriptor.h"

namespace kps::cli {

// One thread.
class LineReader {
 public:
  static constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;

  // Does not close `fd`. Both outlive the reader.
  LineReader(int fd, std::stop_token stop);

  enum class Outcome { kLine, kEnd, kStopped, kTooLong, kFailed };
  // Waits for a line; the last one needs no newline. kFailed: errno says why.
  Outcome Next(std::string* line);

 private:
  bool TakeLine(std::string* line);

  const int fd_;
  const std::stop_token stop_;
  FileDescriptor stop_fd_;
  const std::stop_callback<std::function<void()>> wake_;
  std::string read_;
  std::size_t begin_ = 0;   // of what is not taken
  std::size_t looked_ = 0;  // there is no newline before this
  bool ended_ = false;
};

}  // namespace kps::cli
