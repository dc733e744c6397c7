// Positions that are numbers: a count, an offset.
#ifndef KPS_CPP_POSITION_HPP
#define KPS_CPP_POSITION_HPP

#include <cstdint>
#include <string>

#include "failure.hpp"

namespace kps {
namespace plugin {

// What std::to_string has made of it; an empty position, which is that of a stream at its start, is 0. Throws
// KPS_DATA_LOSS for any other: it is not this plugin's, and nobody should guess where to go on.
inline uint64_t number_of_position(const std::string &position) {
  uint64_t number = 0;
  for (size_t i = 0; i < position.size(); ++i) {
    const uint64_t digit = static_cast<uint64_t>(position[i]) - '0';
    if (digit > 9 || number > (UINT64_MAX - digit) / 10)
      throw Failure(KPS_DATA_LOSS, "the position is no number: it is not of this plugin");
    number = number * 10 + digit;
  }
  return number;
}

}  // namespace plugin
}  // namespace kps

#endif
