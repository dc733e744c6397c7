// The topics of a broker. It has no list of them: they are those on which something comes while one listens.
#ifndef KPS_PLUGINS_MQTT_MQTT_DISCOVERY_H
#define KPS_PLUGINS_MQTT_MQTT_DISCOVERY_H

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "mqtt_settings.h"

namespace kps::plugins {

class MqttTopics {
 public:
  explicit MqttTopics(DiscoverySettings settings) : settings_(std::move(settings)) {}

  // Listens for as long as the settings say, at most `timeout`. Those of now and of the last ten minutes, in order; at
  // most 10,000. Throws Failure when there is no broker, or it refuses.
  std::vector<std::string> listen(std::chrono::milliseconds timeout);

 private:
  using Clock = std::chrono::steady_clock;

  void remember(const std::string& topic, Clock::time_point now);

  DiscoverySettings settings_;
  std::map<std::string, Clock::time_point> seen_;
};

}  // namespace kps::plugins

#endif
