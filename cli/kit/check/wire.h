// What `plugin check` and the child in which it examines one rule tell each other, over host/plugin/child_process.h.
//   request  the packed texts rule, directory to be in, file, static_json, config_json, ingress_json, egress_json,
//            made_up
//   frames   as below
#pragma once

#include <cstdint>

namespace kps::cli {

inline constexpr char kCheckArgument[] = "--check-rule";

enum CheckFrame : std::int32_t {
  kFrameDone = 0,     // the rule was examined to its end
  kFrameAt = 1,       // which function of the plugin is called now; empty: none
  kFrameFailed = 2,   // a sentence: how the rule is broken
  kFrameSkipped = 3,  // a sentence: why it cannot be examined
  kFrameNote = 4,     // a sentence: what was seen
  kFrameBeside = 5,   // the packed texts rule, sentence: another rule is broken
  kFrameHas = 6,      // a number: one of kps::cli::Need is there
  kFrameRefused = 7,  // a number: one of kps::cli::Need cannot be had, for parameters that were made up
};

}  // namespace kps::cli
