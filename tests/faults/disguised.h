// Bugs of core, acted out between it and the transport: what the checks must not let pass.
#pragma once

#include <string>
#include <vector>

#include "tests/faults/run.h"

namespace kps::faults {

struct Bug {
  std::string name;
  bool ingress;  // it shows in an ingress stream
  Disguise disguise;
};
std::vector<Bug> Bugs();

}  // namespace kps::faults
