// NATS, over libnats.
//
// Core NATS: ingress is confirmed by a round trip after the envelopes, egress is at most once. What a confirmed
// envelope's subscribers get is what core NATS gives them: those that are connected at that moment, once.
//
// JetStream: a stream of the server keeps what is published, and its word is the confirm; one with a message id it
// keeps once. A subscriber has a durable consumer of the stream: what it does not acknowledge comes again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/core/logger.h"
#include "host/core/transport.h"
#include "host/transport/jetstream_options.h"

namespace kps {

struct NatsOptions {
  std::string url;                                    // one server, or several separated by commas
  std::string client_name;                            // shown by the server
  std::int64_t pending_bytes_max = 64 * 1024 * 1024;  // received and not yet taken, for one subscription
  std::optional<JetStreamOptions> jetstream = {};     // nothing: core NATS
};

// Connects in the background and reconnects for ever: a server that is not there is no error here.
// INVALID_ARGUMENT: the URL cannot be used. `logger` outlives the transport.
Result<std::unique_ptr<Transport>> MakeNatsTransport(NatsOptions options, Logger* logger);

}  // namespace kps
