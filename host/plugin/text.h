// Texts that cross the ABI.
#pragma once

#include <kps/types.h>

#include <string>
#include <string_view>

namespace kps {

inline kps_str ToAbi(std::string_view text) { return {text.data(), text.size()}; }

inline std::string_view View(kps_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

// A copy that is valid UTF-8: what is not becomes '?'. Plugins quote the world, and the wire carries only UTF-8.
std::string CopyText(kps_str text);

}  // namespace kps
