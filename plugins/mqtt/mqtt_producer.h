// Publishes to a topic. flush returns when the broker has acknowledged everything (QoS 1 and 2), or when it is written
// (QoS 0).
#ifndef KPS_PLUGINS_MQTT_MQTT_PRODUCER_H
#define KPS_PLUGINS_MQTT_MQTT_PRODUCER_H

#include <chrono>
#include <deque>
#include <kps/plugin.hpp>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "mqtt_client.h"

namespace kps::plugins {

// Messages that the broker has refused as too large, which it says only when they were taken: who is offered one again
// refuses it, and it alone. Any thread.
class TooLarge {
 public:
  void add(const std::string& stream_id, std::string_view payload);
  // Whether it was added; it is forgotten then.
  bool take(const std::string& stream_id, std::string_view payload);

 private:
  using Key = std::pair<std::string, size_t>;  // the stream, and a hash of the payload

  std::mutex mutex_;
  std::set<Key> refused_;
};

class MqttProducer : public plugin::Producer, private MqttClient::Events {
 public:
  // Connects. `too_large` outlives this: the next producer of the stream has it as well.
  MqttProducer(MqttSettings settings, TooLarge* too_large);

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
  void note_too_large(Unconfirmed* unconfirmed);
  void pop_confirmed();
  bool has_room(size_t size) const;
  void throw_refusal();
  void throw_too_large();

  const MqttSettings settings_;
  MqttClient client_;
  bool begun_ = false;  // what has to be published again is
  std::deque<Unconfirmed> unconfirmed_;
  size_t unconfirmed_bytes_ = 0;
  TooLarge* const too_large_;
  size_t too_large_count_ = 0;  // of what was taken and cannot be delivered
  bool too_large_told_ = false;
  int refusal_ = 0;  // the reason of the newest; 0: none that was not told
};

}  // namespace kps::plugins

#endif
