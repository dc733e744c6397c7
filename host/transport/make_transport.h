// Makes a transport from its URL.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/core/logger.h"
#include "host/core/transport.h"
#include "host/transport/jetstream_options.h"

namespace kps {

// "memory:", or NATS servers: "nats://host:4222" (also tls://; several separated by commas). `client_name` is shown by
// the server. `logger` outlives the transport. `jetstream`: delivery at least once, over JetStream; nothing: as the
// transport itself delivers. INVALID_ARGUMENT: the URL is none of these, or its transport has no JetStream.
Result<std::unique_ptr<Transport>> MakeTransport(const std::string& url, const std::string& client_name, Logger* logger,
                                                 const std::optional<JetStreamOptions>& jetstream = std::nullopt);

}  // namespace kps
