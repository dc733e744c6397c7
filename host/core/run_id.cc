#include "host/core/run_id.h"

#include <charconv>
#include <random>

namespace kps {

std::string MakeRunId() {
  std::random_device random;
  std::string run;
  for (int i = 0; i < 4; ++i) {
    char text[16];
    run.append(text, std::to_chars(text, text + sizeof text, random() & 0xFFFFFFFFU, 36).ptr);
  }
  return run;
}

}  // namespace kps
