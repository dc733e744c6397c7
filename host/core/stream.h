// A stream as the platform wants it.
#pragma once

#include <cstdint>
#include <string>

namespace kps {

// Numbers of connector.v1.StreamDirection.
enum class Direction : std::int32_t { kUnspecified = 0, kIngress = 1, kEgress = 2 };

// "INGRESS" or "EGRESS".
const char* DirectionName(Direction direction);

struct StreamSpec {
  std::string id;
  Direction direction = Direction::kUnspecified;
  std::string channel;        // of the transport: a NATS subject
  std::string metadata_json;  // a JSON object with sorted keys, so that equal metadata are equal texts

  bool operator==(const StreamSpec&) const = default;
};

}  // namespace kps
