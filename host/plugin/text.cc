#include "host/plugin/text.h"

#include <cstddef>

namespace kps {
namespace {

// Length of the well-formed UTF-8 sequence at the front of `text`; 0: there is none (Unicode 15, table 3-7).
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string CopyText(kps_str text) {
  std::string_view rest = View(text);
  std::string copy;
  copy.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t length = SequenceLength(rest);
    if (length == 0) {
      copy += '?';
      rest.remove_prefix(1);
    } else {
      copy.append(rest.substr(0, length));
      rest.remove_prefix(length);
    }
  }
  return copy;
}

}  // namespace kps
