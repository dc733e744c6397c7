#include "host/plugin/packed_texts.h"

#include <cstdint>
#include <cstring>

namespace kps {

std::string PackTexts(std::initializer_list<std::string_view> texts) {
  std::string packed;
  for (const std::string_view text : texts) {
    const std::uint64_t size = text.size();
    packed.append(reinterpret_cast<const char*>(&size), sizeof size);
    packed += text;
  }
  return packed;
}

std::optional<std::vector<std::string>> UnpackTexts(std::string_view packed, std::size_t count) {
  std::vector<std::string> texts;
  for (std::uint64_t size = 0; packed.size() >= sizeof size;) {
    std::memcpy(&size, packed.data(), sizeof size);
    packed.remove_prefix(sizeof size);
    if (size > packed.size()) return {};
    texts.emplace_back(packed.substr(0, size));
    packed.remove_prefix(size);
  }
  if (!packed.empty() || texts.size() != count) return {};
  return texts;
}

}  // namespace kps
