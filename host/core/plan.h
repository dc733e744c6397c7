// What to do to get from the running streams to the desired ones: a pure function, applied in Runtime::Apply.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/core/stream.h"

namespace kps {

using StreamMap = std::map<std::string, StreamSpec>;  // by id

// Every id of current and desired stands in exactly one list, in order of the id.
struct Plan {
  std::vector<std::string> start;    // desired, not running
  std::vector<std::string> keep;     // running as desired: not touched, unless it has failed for good
  std::vector<std::string> restart;  // running with other content
  std::vector<std::string> stop;     // running, no longer desired

  bool operator==(const Plan&) const = default;
};

Plan PlanStreams(const StreamMap& current, const StreamMap& desired);

}  // namespace kps
