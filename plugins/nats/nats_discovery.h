// What JetStream holds at a broker.
#ifndef KPS_PLUGINS_NATS_NATS_DISCOVERY_H
#define KPS_PLUGINS_NATS_NATS_DISCOVERY_H

#include <chrono>
#include <string>
#include <vector>

#include "nats_settings.h"

namespace kps::plugins {

struct DiscoveredSubject {
  std::string stream;
  std::string subject;
};

// Of all streams of JetStream, but for those of key-value buckets and objects ($KV, $O). Throws Failure.
std::vector<DiscoveredSubject> discover_subjects(const NatsBroker& broker, std::chrono::milliseconds timeout);

}  // namespace kps::plugins

#endif
