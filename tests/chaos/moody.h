// What the moody plugin and its test agree on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugins/generator/payload.h"

namespace kps::chaos {

inline std::uint64_t NumberOf(const char* payload, std::size_t size) {
  return size < plugins::kHeaderBytes ? 0 : plugins::load_le64(payload);
}
// It can never take this one.
inline bool IsRefused(std::uint64_t number) { return number % 1000 == 7; }

}  // namespace kps::chaos
