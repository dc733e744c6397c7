// A NATS transport that confirms what it was given at once: what a host would cost that does not wait to hear whether
// anything has arrived. It publishes, and does nothing else.
#pragma once

#include <memory>
#include <string>

#include "host/core/transport.h"

namespace kps::bench {

// Throws where it cannot connect.
std::unique_ptr<Transport> MakeUnconfirmedTransport(const std::string& url);

}  // namespace kps::bench
