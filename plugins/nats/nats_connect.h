// How a connection is made: libnats itself, and its options.
#ifndef KPS_PLUGINS_NATS_NATS_CONNECT_H
#define KPS_PLUGINS_NATS_NATS_CONNECT_H

#include <memory>
#include <string>

#include "nats_connection.h"

namespace kps::plugins {

// Starts libnats, which has threads for the whole process and users elsewhere in it, so that neither a plugin ends it
// nor its unloading may unmap it. Throws Failure.
void open_libnats();

// For sentences: "nats://host:4222".
std::string address_of(const NatsBroker& broker, const NatsBroker::Server& server);

// Without callbacks, reconnecting and pings of libnats's own: see nats_connection.h. Throws Failure.
std::unique_ptr<natsOptions, NatsDelete> connect_options(const NatsBroker& broker, const NatsBroker::Server& server,
                                                         const std::string& name);

}  // namespace kps::plugins

#endif
