// Port: time. The wall clock is for the timestamps that people and pipelines see; the steady clock is for whatever a
// stream waits for, so that a test can let it pass at once.
#pragma once

#include <chrono>
#include <cstdint>

#include "host/core/mutex.h"

namespace kps {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch. Any thread.
  virtual std::int64_t NowNs() const = 0;

  virtual std::chrono::steady_clock::time_point Now() const { return std::chrono::steady_clock::now(); }
  // As CondVar::WaitUntil, by this clock.
  virtual bool WaitUntil(CondVar* changed, Mutex* mutex, std::chrono::steady_clock::time_point deadline) const
      KPS_REQUIRES(mutex) {
    return changed->WaitUntil(*mutex, deadline);
  }
};

}  // namespace kps
