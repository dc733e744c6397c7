// What a process holds, and how long streams paused.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace kps::swap_test {

struct Held {
  std::int64_t anonymous_kb = 0;  // resident memory that is no file's
  std::int64_t descriptors = 0;
  std::int64_t threads = 0;
  std::int64_t maps = 0;
};
Held LookAtProcess();

// "p50 0.21 ms, p99 1.52 ms, max 3.00 ms"
std::string Percentiles(std::vector<std::chrono::nanoseconds> times);

}  // namespace kps::swap_test
