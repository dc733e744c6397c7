// The topics of a cluster.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_DISCOVERY_H
#define KPS_PLUGINS_KAFKA_KAFKA_DISCOVERY_H

#include <chrono>
#include <kps/plugin.hpp>
#include <string>
#include <vector>

#include "kafka_settings.h"

namespace kps::plugins {

// Sorted; without the internal ones, whose names begin with "__".
std::vector<std::string> discover_topics(const Cluster& cluster, std::chrono::milliseconds timeout);

}  // namespace kps::plugins

#endif
