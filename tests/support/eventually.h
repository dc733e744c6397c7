// Waits for what another thread or process is about to do.
#pragma once

#include <chrono>
#include <thread>

namespace kps::test {

inline constexpr std::chrono::seconds kDeadline{20};  // for what always comes; long, for loaded machines

// Whether `condition` came true before the deadline.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds deadline = kDeadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace kps::test
