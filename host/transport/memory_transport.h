// The embedded transport: channels within this process. For development, demos and tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "host/core/transport.h"

namespace kps {

struct MemoryTransportOptions {
  std::size_t queue_envelopes_max = 65'536;  // of one subscription
  std::size_t queue_bytes_max = 64 * 1024 * 1024;
  std::chrono::milliseconds publish_wait{100};  // how long Publish waits for room in a full queue
};

// Confirm means: handed to the bounded queue of every subscription. Publish to a full queue waits, then returns
// RESOURCE_EXHAUSTED, with nothing handed to anybody. Channels and wildcards are those of NATS; what nobody has
// subscribed to is dropped, as there.
std::unique_ptr<Transport> MakeMemoryTransport(MemoryTransportOptions options);

}  // namespace kps
