// What a trial of a plugin and its child tell each other, over child_process.h.
//   request  the packed texts path, static_json, config_json
//   frames   some with kPreflightProgress, each with what the child is at; at last one with a Code, whose text is the
//            packed texts message, retry_after in ms
#pragma once

#include <cstdint>

namespace kps {

inline constexpr std::int32_t kPreflightProgress = 0;  // no Code has this value

// As parts of a sentence.
inline constexpr char kWhileLoading[] = "while it was loaded";
inline constexpr char kInCreate[] = "in create_connector";
inline constexpr char kInDestroy[] = "in destroy_connector";

}  // namespace kps
