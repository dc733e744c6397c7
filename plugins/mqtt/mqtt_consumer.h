// Reads a subscription. The broker's messages are acknowledged to it only when the host has them safe.
//
// libmosquitto queues the acknowledgement of a message as soon as it has given it to us, and cannot be told to wait.
// But it leaves to us when its queue is written, and that is not done while the host still has a message that came on
// this connection. So messages come in rounds: as many as the broker sends without acknowledgements, then all of these.
#ifndef KPS_PLUGINS_MQTT_MQTT_CONSUMER_H
#define KPS_PLUGINS_MQTT_MQTT_CONSUMER_H

#include <chrono>
#include <deque>
#include <kps/plugin.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mqtt_client.h"

namespace kps::plugins {

class MqttConsumer : public plugin::Consumer, private MqttClient::Events {
 public:
  // Connects and asks for the subscription. Throws Failure also when that is refused before long.
  explicit MqttConsumer(MqttSettings settings);

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;
  void ack(uint64_t token) override;

 private:
  using Clock = MqttClient::Clock;
  struct Received {
    std::string payload;
    uint64_t connection;  // that waits for an acknowledgement; 0: none does
  };
  struct Given {
    uint64_t token;
    uint64_t connection;
    size_t acknowledged_count;
  };

  void on_connecting() override;
  void on_message(const mosquitto_message& message) override;
  void on_subscribed(int reason) override { subscribed_ = reason; }

  void require_connection(Clock::time_point deadline);
  void throw_refusal() const;
  plugin::Failure not_yet() const;
  MqttClient::Want want() const { return unsafe_ == 0 ? MqttClient::Want::kReadAndWrite : MqttClient::Want::kRead; }

  const MqttSettings settings_;
  MqttClient client_;
  bool begun_ = false;             // this connection: the subscription was asked for
  std::optional<int> subscribed_;  // what the broker has answered
  uint64_t connection_ = 0;        // counted from 1
  size_t unsafe_ = 0;              // messages of this connection that the broker must not see acknowledged yet
  std::deque<Received> received_;
  std::vector<Received> taken_;  // what the host looks at
  std::deque<Given> given_;
};

}  // namespace kps::plugins

#endif
