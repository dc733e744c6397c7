#include "mqtt_producer.h"

#include <mqtt_protocol.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "mqtt_errors.h"

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kCreateMax{2000};
constexpr size_t kUnconfirmedMax = 1000;
constexpr size_t kUnconfirmedBytesMax = 16u << 20;
constexpr int kFirstErrorReason = 0x80;
constexpr size_t kTooLargeMax = 1000;

}  // namespace

void TooLarge::add(const std::string& stream_id, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (refused_.size() >= kTooLargeMax) refused_.clear();  // of streams that are gone: who is not knows it soon again
  refused_.emplace(stream_id, std::hash<std::string_view>()(payload));
}

bool TooLarge::take(const std::string& stream_id, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  return !refused_.empty() && refused_.erase({stream_id, std::hash<std::string_view>()(payload)}) > 0;
}

MqttProducer::MqttProducer(MqttSettings settings, TooLarge* too_large)
    : settings_(std::move(settings)), client_(settings_, this), too_large_(too_large) {
  require_connection(Clock::now() + kCreateMax);
}

void MqttProducer::on_published(int mid, int reason) {
  const auto found = std::find_if(unconfirmed_.begin(), unconfirmed_.end(),
                                  [mid](const Unconfirmed& u) { return u.mid == mid && !u.confirmed && !u.again; });
  if (found == unconfirmed_.end()) return;
  if (reason == MQTT_RC_PACKET_TOO_LARGE) {
    note_too_large(&*found);
  } else {
    found->again = reason >= kFirstErrorReason;
    found->confirmed = !found->again;
    if (found->again) refusal_ = reason;
  }
  pop_confirmed();
}

// It is in the way of nothing that comes after it; flush tells of it.
void MqttProducer::note_too_large(Unconfirmed* unconfirmed) {
  too_large_->add(settings_.stream_id, unconfirmed->payload);
  ++too_large_count_;
  unconfirmed->confirmed = true;
}

void MqttProducer::pop_confirmed() {
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
    try {
      unconfirmed.mid = client_.publish(unconfirmed.payload.data(), unconfirmed.payload.size());
    } catch (const plugin::Failure& failure) {
      if (failure.code() != KPS_INVALID_ARGUMENT) throw;
      note_too_large(&unconfirmed);  // this broker has another limit than the former had
    }
    unconfirmed.again = false;
  }
  pop_confirmed();
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

// A transport that keeps messages offers them to the next producer. Where none does, they are lost.
void MqttProducer::throw_too_large() {
  if (too_large_count_ == 0) return;
  const std::string text = "publish to " + settings_.topic + " at " + settings_.address() + ": " +
                           std::to_string(too_large_count_) + " messages are larger than the broker takes";
  if (!std::exchange(too_large_told_, true)) throw plugin::Failure(KPS_ABORTED, text);
  throw plugin::Failure(KPS_DATA_LOSS, text + "; let the broker announce its limit (mosquitto: max_packet_size)");
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
    if (too_large_->take(settings_.stream_id, {static_cast<const char*>(message.data), message.size})) {
      throw plugin::Failure(KPS_INVALID_ARGUMENT, "publish to " + settings_.topic + " at " + settings_.address() +
                                                      ": the message is larger than the broker takes");
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
    if (unconfirmed_.empty()) break;
    const bool came = client_.step(MqttClient::Want::kReadAndWrite, deadline);
    throw_refusal();
    if (!came && !unconfirmed_.empty()) {
      throw plugin::Failure(KPS_DEADLINE_EXCEEDED, "the broker at " + settings_.address() + " has not acknowledged " +
                                                       std::to_string(unconfirmed_.size()) + " messages yet");
    }
  }
  throw_too_large();
}

}  // namespace kps::plugins
