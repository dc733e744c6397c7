// A subscription on a NatsConnection. Internal to host/transport.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "host/core/transport.h"
#include "host/transport/nats_connection.h"

namespace kps {

Result<std::unique_ptr<Subscription>> MakeNatsSubscription(std::shared_ptr<NatsConnection> connection,
                                                           const std::string& channel);

}  // namespace kps
