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
};

}  // namespace kps
