// The host's own code between the plugin `generator` and the nats-server: Runtime, host/plugin and host/transport, put
// together as host/app does.
#pragma once

#include <memory>

#include "tests/bench/two_sides.h"

namespace kps::bench {

// An INGRESS stream, confirms on.
std::unique_ptr<Side> MakeIngress(const Load& load, Progress* progress);
// The same over a transport that confirms at once (unconfirmed.h).
std::unique_ptr<Side> MakeUnconfirmedIngress(const Load& load, Progress* progress);
// The first, with --delivery at-least-once.
std::unique_ptr<Side> MakeJetStreamIngress(const Load& load, Progress* progress);
// An EGRESS stream. The plugin checks that all messages came once, in order and with every byte.
std::unique_ptr<Side> MakeEgress(const Load& load, Progress* progress);

}  // namespace kps::bench
