// What goes out over a link, with the headers that belong to it. Internal to host/transport.
#pragma once

#include <nats/status.h>

#include <cstddef>
#include <string>

#include "host/core/error.h"
#include "host/core/transport.h"

typedef struct __natsConnection natsConnection;

namespace kps {

// `reply` may be null. Line breaks in headers become spaces: they would end the header.
natsStatus PublishTo(natsConnection* connection, const char* channel, const char* reply, const Outgoing& outgoing);

// Bytes that count against the server's max_payload.
std::size_t WireBytes(const Outgoing& outgoing);

// Why it is larger than the server takes.
Error TooLarge(const Outgoing& outgoing, std::size_t limit);

}  // namespace kps
