// Makes a transport from its URL.
#pragma once

#include <memory>
#include <string>

#include "host/core/logger.h"
#include "host/core/transport.h"

namespace kps {

// "memory:", or NATS servers: "nats://host:4222" (also tls://; several separated by commas). `client_name` is shown by
// the server. `logger` outlives the transport. INVALID_ARGUMENT: the URL is none of these.
Result<std::unique_ptr<Transport>> MakeTransport(const std::string& url, const std::string& client_name,
                                                 Logger* logger);

}  // namespace kps
