#include "core_consumer.h"

#include <utility>

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kSubscribeMax{2000};

size_t size_of(const NatsMessage& message) { return static_cast<size_t>(natsMsg_GetDataLength(message.get())); }

}  // namespace

CoreConsumer::CoreConsumer(const plugin::Host& host, const plugin::Stream& stream, NatsIngressSettings settings)
    : host_(host), stream_id_(stream.id), settings_(std::move(settings)), client_(stream, settings_.broker, this) {
  client_.start();
}

CoreConsumer::~CoreConsumer() { client_.stop(); }

void CoreConsumer::begin(NatsConnection& connection) {
  connection.subscribe(settings_.subject, settings_.queue_group,
                       [this](std::vector<NatsMessage>& came) { take(came); });
  // The server says within it if it does not permit the subject.
  if (!connection.round_trip(kSubscribeMax)) {
    throw plugin::Failure(KPS_UNAVAILABLE, "the broker " + settings_.broker.shown + " does not answer");
  }
}

void CoreConsumer::take(std::vector<NatsMessage>& came) {
  const std::lock_guard lock(mutex_);
  for (NatsMessage& message : came) {
    const size_t size = size_of(message);
    const bool room = queue_.empty() || (queue_.size() < settings_.pending_messages_max &&
                                         queue_bytes_ + size <= settings_.pending_bytes_max);
    if (!room) {
      ++dropped_;
      continue;
    }
    queue_bytes_ += size;
    queue_.push_back(std::move(message));
  }
}

void CoreConsumer::next(plugin::Batch& batch, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  borrowed_.clear();
  for (;;) {
    fill(batch);
    if (!batch.empty()) return;
    (void)client_.connection();  // throws where there is none
    if (Clock::now() >= deadline || client_.wait(deadline) == plugin::Wait::kWoken) return;
  }
}

void CoreConsumer::fill(plugin::Batch& batch) {
  uint64_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty()) {
      const size_t size = size_of(queue_.front());
      if (!batch.has_room(size)) break;
      batch.add_borrowed(natsMsg_GetData(queue_.front().get()), size);
      borrowed_.push_back(std::move(queue_.front()));
      queue_.pop_front();
      queue_bytes_ -= size;
    }
    dropped = std::exchange(dropped_, 0);
  }
  if (dropped > 0) tell_dropped(dropped);
}

void CoreConsumer::tell_dropped(uint64_t count) {
  dropped_total_ += count;
  host_.counter_add(stream_id_, "dropped", count);
  host_.raise_alert(stream_id_, "messagesDropped",
                    std::to_string(dropped_total_) + " messages of " + settings_.subject +
                        " were dropped since the stream started: they came faster than it takes them, and more than "
                        "\"pendingMessagesMax\" or \"pendingBytesMax\" waited",
                    KPS_SEVERITY_CRITICAL, 0);
}

}  // namespace kps::plugins
