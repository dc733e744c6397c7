// Port: wall-clock time, for the timestamps that people and pipelines see. Durations use std::chrono::steady_clock.
#pragma once

#include <cstdint>

namespace kps {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch. Any thread.
  virtual std::int64_t NowNs() const = 0;
};

}  // namespace kps
