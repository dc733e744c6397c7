#include "mqtt_discovery.h"

#include <mosquitto.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "mqtt_client.h"
#include "mqtt_errors.h"

namespace kps::plugins {
namespace {

constexpr std::chrono::minutes kKept{10};
constexpr size_t kTopicsMax = 10000;
constexpr int kFirstErrorReason = 0x80;

class Listener : public MqttClient::Events {
 public:
  explicit Listener(std::function<void(const char*)> on_topic) : on_topic_(std::move(on_topic)) {}
  void on_message(const mosquitto_message& message) override { on_topic_(message.topic); }
  void on_subscribed(int reason) override { subscribed_ = reason; }
  const std::optional<int>& subscribed() const { return subscribed_; }

 private:
  const std::function<void(const char*)> on_topic_;
  std::optional<int> subscribed_;
};

}  // namespace

void MqttTopics::remember(const std::string& topic, Clock::time_point now) {
  const auto known = seen_.find(topic);
  if (known != seen_.end()) {
    known->second = now;
  } else if (seen_.size() < kTopicsMax) {
    seen_.emplace(topic, now);
  }
}

std::vector<std::string> MqttTopics::listen(std::chrono::milliseconds timeout) {
  const auto begin = Clock::now();
  for (auto topic = seen_.begin(); topic != seen_.end();) {
    topic = begin - topic->second > kKept ? seen_.erase(topic) : std::next(topic);
  }
  const MqttSettings& broker = settings_.broker;
  Listener listener([&](const char* topic) { remember(topic, begin); });
  MqttClient client(broker, &listener);
  const auto not_yet = [&] {
    return plugin::Failure(KPS_UNAVAILABLE, "topics of " + broker.address() + ": the broker has not answered");
  };
  if (!client.connect(begin + timeout)) throw not_yet();
  client.subscribe();
  while (!listener.subscribed()) {
    if (!client.step(MqttClient::Want::kReadAndWrite, begin + timeout)) throw not_yet();
  }
  if (*listener.subscribed() >= kFirstErrorReason) {
    throw reason_failure(*listener.subscribed(), "subscribe to " + broker.topic + " at " + broker.address());
  }
  const auto end = std::min(Clock::now() + settings_.listen, begin + timeout);
  while (Clock::now() < end) static_cast<void>(client.step(MqttClient::Want::kReadAndWrite, end));
  std::vector<std::string> topics;
  for (const auto& [topic, when] : seen_) topics.push_back(topic);
  return topics;
}

}  // namespace kps::plugins
