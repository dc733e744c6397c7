#include "host/core/backoff.h"

#include <algorithm>

namespace kps {

std::chrono::milliseconds Backoff::Next() {
  const auto ceiling = ceiling_.count();
  ceiling_ = std::min(ceiling_ * 2, longest_);
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(ceiling / 2, ceiling)(random_));
}

}  // namespace kps
