// Exponential back-off with full jitter in its upper half, so that streams that failed together do not retry together.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace kps {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{30'000};

  explicit Backoff(std::uint64_t seed, std::chrono::milliseconds longest = kLongest)
      : random_(seed), longest_(longest) {}

  // The delay before the next try: it doubles from kFirst to the longest, and lies between half of that and all of it.
  std::chrono::milliseconds Next();
  // After a success.
  void Reset() { ceiling_ = kFirst; }

 private:
  std::minstd_rand random_;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds ceiling_ = kFirst;
};

}  // namespace kps
