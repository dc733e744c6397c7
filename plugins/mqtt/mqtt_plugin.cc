// The connector of the mqtt plugin: one connection to a broker for each stream.
#include <support/discovered.h>

#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>

#include "mqtt_consumer.h"
#include "mqtt_discovery.h"
#include "mqtt_producer.h"
#include "mqtt_settings.h"

namespace kps::plugins {
namespace {

// clang-format off: a literal a line, as a raw one keeps the backslash at its end
#define KPS_MQTT_BROKER_SCHEMA                                                                                                    \
  R"json("broker": {"type": "string", "minLength": 1, "examples": ["mqtt://localhost:1883", "mqtts://broker.example:8883"],)json" \
  R"json( "description": "The broker: mqtt://HOST[:PORT], or mqtts:// for TLS"},)json"                                            \
  R"json("protocol": {"enum": ["5", "3.1.1"], "default": "5", "description": "The version of MQTT"},)json" KPS_CREDENTIALS_SCHEMA \
  "," KPS_TLS_SCHEMA
// clang-format on

constexpr char kStaticSchema[] = R"json({
  "type": "object",
  "properties": {
    "discover": {"type": "string", "minLength": 1,
                 "description": "Topics that match this filter are shown as streams that could be set, when something comes there"},
    "discoverS": {"type": "integer", "minimum": 1, "maximum": 60, "default": 5,
                  "description": "For how many seconds it is listened for that, each time"},
    )json" KPS_MQTT_BROKER_SCHEMA R"json(
  },
  "additionalProperties": false
})json";

constexpr char kStreamSchema[] = R"json({
  "type": "object",
  "properties": {
    "topic": {"type": "string", "minLength": 1, "examples": ["plant/temperature"],
              "description": "INGRESS: a topic filter, wildcards (+, #) and $share/GROUP/FILTER included. EGRESS: a topic"},
    "qos": {"type": "integer", "minimum": 0, "maximum": 2, "default": 1,
            "description": "The quality of service: 0 at most once, 1 at least once, 2 exactly once as far as the broker"},
    "retain": {"type": "boolean", "default": false,
               "description": "EGRESS: whether the broker keeps the last message for later subscribers"},
    "clientId": {"type": "string", "minLength": 1,
                 "description": "What the broker knows this stream by, and keeps its session under; by default, kps- and the stream's id for INGRESS, a new one each time for EGRESS"},
    "keepSession": {"type": "boolean", "default": true,
                    "description": "INGRESS: whether the broker keeps what comes while the stream is away"},
    "sessionExpiryS": {"type": "integer", "minimum": 1, "maximum": 4294967295, "default": 604800,
                       "description": "INGRESS, protocol 5: for how many seconds it keeps that"},
    "keepAliveS": {"type": "integer", "minimum": 5, "maximum": 3600, "default": 60,
                   "description": "INGRESS: after how many seconds of silence the connection is tried"},
    )json" KPS_MQTT_BROKER_SCHEMA R"json(
  },
  "required": ["broker", "topic"],
  "additionalProperties": false
})json";

class MqttConnector : public plugin::Connector {
 public:
  MqttConnector(const plugin::Host& host, const std::string& static_json, const std::string& config_json)
      : Connector(host, static_json, config_json) {
    if (auto settings = read_discovery_settings(static_json)) topics_.emplace(std::move(*settings));
  }

  void discover(const plugin::DiscoverSink& sink, std::chrono::milliseconds timeout) override {
    if (!topics_) return;
    plugin::Params params(static_json(), "static parameters");
    const std::string broker = params.string_or("broker", "");
    for (const std::string& topic : topics_->listen(timeout)) {
      sink.found(discovered_stream(topic, {{"broker", broker}, {"topic", topic}}));
    }
  }

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream, const std::string&) override {
    return std::make_unique<MqttConsumer>(read_ingress_settings(stream));
  }
  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    return std::make_unique<MqttProducer>(read_egress_settings(stream), &too_large_);
  }

 private:
  TooLarge too_large_;
  std::optional<MqttTopics> topics_;  // nothing: nothing is discovered
};

constexpr auto kDescriptor =
    plugin::Descriptor("mqtt", "0.1.0", "Subscribes to topics of an MQTT broker, and publishes to one.",
                       KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .static_schema(kStaticSchema)
        .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::MqttConnector, kps::plugins::kDescriptor);
