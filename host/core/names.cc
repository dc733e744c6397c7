#include "host/core/stream.h"

namespace kps {

const char* DirectionName(Direction direction) {
  switch (direction) {
    case Direction::kIngress: return "INGRESS";
    case Direction::kEgress: return "EGRESS";
    case Direction::kUnspecified: break;
  }
  return "UNSPECIFIED";
}

}  // namespace kps
