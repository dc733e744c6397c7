#include "mqtt_producer.h"

#include <algorithm>
#include <utility>

#include "mqtt_errors.h"

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kCreateMax{2000};
constexpr size_t kUnconfirmedMax = 1000;
constexpr size_t kUnconfirmedBytesMax = 16u << 20;
constexpr int kFirstErrorReason = 0x80;

}  // namespace

MqttProducer::MqttProducer(MqttSettings settings) : settings_(std::move(settings)), client_(settings_, this) {
  require_connection(Clock::now() + kCreateMax);
}

void MqttProducer::on_published(int mid, int reason) {
  const auto found = std::find_if(unconfirmed_.begin(), unconfirmed_.end(),
                                  [mid](const Unconfirmed& u) { return u.mid == mid && !u.confirmed && !u.again; });
  if (found == unconfirmed_.end()) return;
  found->again = reason >= kFirstErrorReason;
  found->confirmed = !found->again;
  if (found->again) refusal_ = reason;
  for (; !unconfirmed_.empty() && unconfirmed_.front().confirmed; unconfirmed_.pop_front()) {
    unconfirmed_bytes_ -= unconfirmed_.front().payload.size();
  }
}

void MqttProducer::on_connecting() {
  begun_ = false;
  for (Unconfirmed& unconfirmed : unconfirmed_) unconfirmed.again = !unconfirmed.confirmed;
}

void MqttProducer::publish_again() {
  for (Unconfirmed& unconfirmed : unconfirmed_) {
    if (!unconfirmed.again) continue;
    unconfirmed.mid = client_.publish(unconfirmed.payload.data(), unconfirmed.payload.size());
    unconfirmed.again = false;
  }
}

void MqttProducer::require_connection(Clock::time_point deadline) {
  if (!client_.connected() && !client_.connect(deadline)) {
    throw plugin::Failure(KPS_UNAVAILABLE, "the broker at " + settings_.address() + " has not answered yet");
  }
  if (begun_) return;
  publish_again();
  begun_ = true;
}

void MqttProducer::throw_refusal() {
  if (refusal_ == 0) return;
  const int reason = std::exchange(refusal_, 0);
  begun_ = false;  // published again by the next call
  throw reason_failure(reason, "publish to " + settings_.topic + " at " + settings_.address());
}

bool MqttProducer::has_room(size_t size) const {
  return unconfirmed_.empty() ||
         (unconfirmed_.size() < kUnconfirmedMax && unconfirmed_bytes_ + size <= kUnconfirmedBytesMax);
}

void MqttProducer::produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) {
  const auto deadline = Clock::now() + timeout;
  if (client_.connected()) {
    try {
      static_cast<void>(client_.step(MqttClient::Want::kReadAndWrite, Clock::now()));
    } catch (const plugin::Failure&) {
      // It was closed while nothing came: a new one is made at once.
    }
  }
  require_connection(deadline);
  throw_refusal();
  while (taken < messages.size()) {
    const plugin::Message message = messages[taken];
    while (!has_room(message.size)) {
      if (!client_.step(MqttClient::Want::kReadAndWrite, deadline)) return;
      throw_refusal();
    }
    const int mid = client_.publish(message.data, message.size);
    unconfirmed_.push_back({mid, message.text(), false, false});
    unconfirmed_bytes_ += message.size;
    ++taken;
  }
  try {
    client_.write();
  } catch (const plugin::Failure&) {
    // All of it is taken; flush connects again.
  }
}

void MqttProducer::flush(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!unconfirmed_.empty()) {
    require_connection(deadline);
    const bool came = client_.step(MqttClient::Want::kReadAndWrite, deadline);
    throw_refusal();
    if (!came && !unconfirmed_.empty()) {
      throw plugin::Failure(KPS_DEADLINE_EXCEEDED, "the broker at " + settings_.address() + " has not acknowledged " +
                                                       std::to_string(unconfirmed_.size()) + " messages yet");
    }
  }
}

}  // namespace kps::plugins
