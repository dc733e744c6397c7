// Between the ABI's borrowed text and std::string.
#ifndef KPS_CPP_TEXT_HPP
#define KPS_CPP_TEXT_HPP

#include <cstring>
#include <string>

#include "../types.h"

namespace kps {
namespace plugin {

inline std::string to_string(kps_str text) {
  return text.size == 0 ? std::string() : std::string(text.data, text.size);
}

inline std::string to_string(kps_bytes bytes) {
  return bytes.size == 0 ? std::string() : std::string(static_cast<const char *>(bytes.data), bytes.size);
}

// Borrows: the string has to outlive the result.
inline kps_str to_str(const std::string &text) {
  kps_str borrowed = {text.data(), text.size()};
  return borrowed;
}
inline kps_str to_str(const char *text) {
  kps_str borrowed = {text, std::strlen(text)};
  return borrowed;
}

}  // namespace plugin
}  // namespace kps

#endif
