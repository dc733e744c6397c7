// The small ports of a host for a benchmark, and a plugin whose egress is counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "host/core/clock.h"
#include "host/core/logger.h"
#include "host/core/plugin.h"

namespace kps::bench {

class SystemClock : public Clock {
 public:
  std::int64_t NowNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

// What goes wrong in a run belongs beside its figures.
class WarningsOnly : public Logger {
 public:
  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override {
    if (level < LogLevel::kWarn) return;
    std::fprintf(stderr, "host: %.*s: %.*s\n", static_cast<int>(stream_id.size()), stream_id.data(),
                 static_cast<int>(text.size()), text.data());
  }
};

// What must be there: an exception ends the run if it is not.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().ToString());
  return std::move(result.value());
}

// Calls `taken` with the number of messages that each Produce of the plugin took, in the stream's thread. It costs two
// indirect calls a message, which count as the host's.
std::unique_ptr<Plugin> CountProduced(std::unique_ptr<Plugin> plugin, std::function<void(std::size_t count)> taken);

}  // namespace kps::bench
