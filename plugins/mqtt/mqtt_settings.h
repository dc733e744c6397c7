// What a stream's metadata say about its broker.
#ifndef KPS_PLUGINS_MQTT_MQTT_SETTINGS_H
#define KPS_PLUGINS_MQTT_MQTT_SETTINGS_H

#include <support/secret.h>
#include <support/tls.h>

#include <chrono>
#include <cstdint>
#include <kps/plugin.hpp>
#include <optional>
#include <string>

namespace kps::plugins {

struct MqttSettings {
  std::string stream_id;
  int wake_fd = -1;

  std::string host;
  int port = 0;
  bool v5 = true;         // else 3.1.1
  std::string client_id;  // empty: a new one each time
  Credentials credentials;
  Tls tls;
  int keepalive_s = 0;  // 0: off. A producer is not called, and so cannot keep anything alive, while nothing comes

  std::string topic;  // INGRESS: a filter
  int qos = 1;
  bool retain = false;            // EGRESS
  bool keep_session = true;       // INGRESS: the broker keeps what comes while nobody is connected
  uint32_t session_expiry_s = 0;  // INGRESS, v5

  // For sentences: "mqtt://host:1883".
  std::string address() const;
};

struct DiscoverySettings {
  MqttSettings broker;  // its topic: the filter to listen to
  std::chrono::milliseconds listen{0};
};

// Throw Failure, INVALID_ARGUMENT: the metadata are not what the schema says.
MqttSettings read_ingress_settings(const plugin::Stream& stream);
MqttSettings read_egress_settings(const plugin::Stream& stream);
// Of the static parameters; nothing: nothing is to be discovered.
std::optional<DiscoverySettings> read_discovery_settings(const std::string& static_json);

}  // namespace kps::plugins

#endif
