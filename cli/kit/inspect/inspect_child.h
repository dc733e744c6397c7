// The child process in which a plugin is loaded to be looked at: what it does when it is loaded harms nobody.
#pragma once

#include <cstdint>

namespace kps::cli {

// The request is the path of the plugin.
inline constexpr char kInspectArgument[] = "--inspect-child";

// Codes of its frames, in their order.
inline constexpr std::int32_t kLibraryFrame = 1;     // packed texts name, path: a library that it needs
inline constexpr std::int32_t kLoadingFrame = 2;     // from now on, code of the plugin runs
inline constexpr std::int32_t kDescriptorFrame = 3;  // descriptor_text.h
inline constexpr std::int32_t kRefusedFrame = 4;     // instead: why it cannot be loaded

// The child. Does not return, unless it was started by somebody else: then it says so and returns an exit code.
int RunInspectChild();

}  // namespace kps::cli
