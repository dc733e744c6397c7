// Port: the log. Core never prints; the composition root decides where lines go.
#pragma once

#include <string_view>

#include "host/core/event.h"

namespace kps {

class Logger {
 public:
  virtual ~Logger() = default;
  // One line. Any thread. An empty stream_id: the host itself.
  virtual void Log(LogLevel level, std::string_view stream_id, std::string_view text) = 0;
  // Lines below `level` are dropped from now on. Any thread. A log that keeps every line has nothing to do.
  virtual void SetLevel(LogLevel level) { static_cast<void>(level); }
};

}  // namespace kps
