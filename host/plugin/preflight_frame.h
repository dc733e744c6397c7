// What goes between the host and the child that tries a plugin. They are one program, so numbers go as they are.
//   stdin      three times a std::uint64_t and as many bytes: path, static_json, config_json
//   kVerdictFd frames: a FrameHeader and its text. First some with kProgress, at last one with a Code
#pragma once

#include <cstdint>

namespace kps {

inline constexpr int kVerdictFd = 3;  // of the child, at its start

struct FrameHeader {
  static constexpr std::int32_t kProgress = 0;  // no Code has this value

  std::int32_t code;
  std::uint32_t text_size;  // bytes
  std::int64_t retry_after_ms;
};

// What the child is at, as part of a sentence.
inline constexpr char kWhileLoading[] = "while it was loaded";
inline constexpr char kInCreate[] = "in create_connector";
inline constexpr char kInDestroy[] = "in destroy_connector";

}  // namespace kps
