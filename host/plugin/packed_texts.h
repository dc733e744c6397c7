// Several texts in one: how a request or a frame of child_process.h may be made up. Numbers go as they are.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kps {

std::string PackTexts(std::initializer_list<std::string_view> texts);

// No value: `packed` does not hold `count` texts.
std::optional<std::vector<std::string>> UnpackTexts(std::string_view packed, std::size_t count);

}  // namespace kps
