#include "mqtt_consumer.h"

#include <mosquitto.h>

#include <utility>

#include "mqtt_errors.h"

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kCreateMax{2000};
constexpr int kFirstErrorReason = 0x80;

}  // namespace

MqttConsumer::MqttConsumer(MqttSettings settings) : settings_(std::move(settings)), client_(settings_, this) {
  require_subscription(Clock::now() + kCreateMax);
}

void MqttConsumer::on_message(const mosquitto_message& message) {
  const auto size = static_cast<size_t>(message.payloadlen);
  received_.push_back(
      {size == 0 ? std::string() : std::string(static_cast<const char*>(message.payload), size), message.qos > 0});
  if (message.qos > 0) ++unsafe_;
}

// What the broker has not seen acknowledged it sends again, so what the host did not get yet is not needed.
void MqttConsumer::begin_connection() {
  std::deque<Received> kept;
  for (Received& received : received_) {
    if (!received.acknowledged) kept.push_back(std::move(received));
  }
  received_ = std::move(kept);
  ++connection_;
  unsafe_ = 0;
  subscribed_.reset();
  client_.subscribe();
  begun_ = true;
}

// Throws when there is none at the deadline, so that nobody takes silence for health.
void MqttConsumer::require_subscription(Clock::time_point deadline) {
  const auto not_yet = [this] {
    return plugin::Failure(KPS_UNAVAILABLE, "the broker at " + settings_.address() + " has not answered yet");
  };
  if (!client_.connected()) {
    begun_ = false;
    if (!client_.connect(deadline)) throw not_yet();
  }
  if (!begun_) begin_connection();
  while (!subscribed_) {
    if (!client_.step(want(), deadline)) throw not_yet();
  }
  if (*subscribed_ >= kFirstErrorReason) {
    throw reason_failure(*subscribed_, "subscribe to " + settings_.topic + " at " + settings_.address());
  }
}

void MqttConsumer::next(plugin::Batch& batch, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  require_subscription(deadline);
  taken_.clear();
  taken_.reserve(1024);
  size_t acknowledged_count = 0;
  while (taken_.size() < taken_.capacity()) {
    if (received_.empty()) {
      const auto until = batch.empty() ? deadline : Clock::now();
      try {
        if (!client_.step(want(), until)) break;
      } catch (const plugin::Failure&) {
        if (batch.empty()) throw;  // else the next call tells it
        break;
      }
      continue;
    }
    if (!batch.has_room(received_.front().payload.size())) break;
    taken_.push_back(std::move(received_.front()));
    received_.pop_front();
    const Received& taken = taken_.back();
    if (taken.acknowledged) ++acknowledged_count;
    batch.add_borrowed(taken.payload.data(), taken.payload.size());
  }
  if (!batch.empty()) given_.push_back({batch.token(), connection_, acknowledged_count});
}

void MqttConsumer::ack(uint64_t token) {
  for (; !given_.empty() && given_.front().token <= token; given_.pop_front()) {
    if (given_.front().connection == connection_) unsafe_ -= given_.front().acknowledged_count;
  }
  if (unsafe_ > 0 || !client_.connected()) return;
  try {
    client_.write();
  } catch (const plugin::Failure&) {
    // The connection is lost, which next tells; the broker sends again what it was not told.
  }
}

}  // namespace kps::plugins
