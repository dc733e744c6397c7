// Names a run of something that numbers messages.
#pragma once

#include <string>

namespace kps {

// Never made twice, by this process or another. Letters and digits.
std::string MakeRunId();

}  // namespace kps
