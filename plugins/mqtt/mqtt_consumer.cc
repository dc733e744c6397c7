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
  const auto deadline = Clock::now() + kCreateMax;
  require_connection(deadline);
  // A broker may send all that a session has kept before it answers, which takes as long as it takes: next goes on.
  while (!subscribed_ && received_.empty() && client_.step(want(), deadline)) continue;
  throw_refusal();
}

// What was received and not given yet stays: a broker need not send it again, neither the rest of an exchange of QoS 2,
// of which libmosquitto has made a message, nor anything of a session that it does not have any more.
void MqttConsumer::on_connecting() {
  ++connection_;
  unsafe_ = 0;
  subscribed_.reset();
}

void MqttConsumer::on_message(const mosquitto_message& message) {
  const auto size = static_cast<size_t>(message.payloadlen);
  received_.push_back({size == 0 ? std::string() : std::string(static_cast<const char*>(message.payload), size),
                       message.qos > 0 ? connection_ : 0});
  if (message.qos > 0) ++unsafe_;
}

plugin::Failure MqttConsumer::not_yet() const {
  return plugin::Failure(KPS_UNAVAILABLE, "the broker at " + settings_.address() + " has not answered yet");
}

void MqttConsumer::require_connection(Clock::time_point deadline) {
  if (!client_.connected()) {
    begun_ = false;
    if (!client_.connect(deadline)) throw not_yet();
  }
  if (begun_) return;
  client_.subscribe();
  begun_ = true;
}

void MqttConsumer::throw_refusal() const {
  if (!subscribed_ || *subscribed_ < kFirstErrorReason) return;
  throw reason_failure(*subscribed_, "subscribe to " + settings_.topic + " at " + settings_.address());
}

void MqttConsumer::next(plugin::Batch& batch, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  taken_.clear();
  taken_.reserve(1024);
  size_t acknowledged_count = 0;
  bool heard = false;
  while (taken_.size() < taken_.capacity()) {
    if (received_.empty()) {
      if (!batch.empty() && !client_.connected()) break;  // a batch is of one connection
      const auto until = batch.empty() ? deadline : Clock::now();
      try {
        require_connection(until);
        throw_refusal();
        if (!client_.step(want(), until)) break;
        heard = true;
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
    if (taken.connection == connection_) ++acknowledged_count;
    batch.add_borrowed(taken.payload.data(), taken.payload.size());
  }
  // Nobody takes silence for health, unless the question waits behind acknowledgements that wait for the host.
  if (batch.empty() && !heard && !subscribed_ && unsafe_ == 0) throw not_yet();
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
