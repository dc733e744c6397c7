// Publishes to a topic. flush returns when the broker has acknowledged everything (QoS 1 and 2), or when it is written
// (QoS 0).
#ifndef KPS_PLUGINS_MQTT_MQTT_PRODUCER_H
#define KPS_PLUGINS_MQTT_MQTT_PRODUCER_H

#include <chrono>
#include <deque>
#include <kps/plugin.hpp>
#include <string>

#include "mqtt_client.h"

namespace kps::plugins {

class MqttProducer : public plugin::Producer, private MqttClient::Events {
 public:
  // Connects.
  explicit MqttProducer(MqttSettings settings);

  void produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) override;
  void flush(std::chrono::milliseconds timeout) override;

 private:
  using Clock = MqttClient::Clock;
  struct Unconfirmed {
    int mid;
    std::string payload;
    bool confirmed;
    bool again;  // it was refused, or its connection is lost: it has to be published again
  };

  void on_connecting() override;
  void on_published(int mid, int reason) override;

  void require_connection(Clock::time_point deadline);
  void publish_again();
  bool has_room(size_t size) const;
  void throw_refusal();

  const MqttSettings settings_;
  MqttClient client_;
  bool begun_ = false;  // what has to be published again is
  std::deque<Unconfirmed> unconfirmed_;
  size_t unconfirmed_bytes_ = 0;
  int refusal_ = 0;  // the reason of the newest; 0: none that was not told
};

}  // namespace kps::plugins

#endif
