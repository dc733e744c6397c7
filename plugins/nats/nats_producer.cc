#include "nats_producer.h"

#include <algorithm>
#include <utility>

namespace kps::plugins {

using plugin::Failure;
using std::chrono::milliseconds;

NatsProducer::NatsProducer(const plugin::Stream& stream, NatsEgressSettings settings)
    : settings_(std::move(settings)), client_(stream, settings_.broker, this) {}

void NatsProducer::stop() {
  connection_.reset();
  client_.stop();
}

NatsConnection& NatsProducer::advance() {
  std::shared_ptr<NatsConnection> present = client_.connection();
  if (present != connection_) {
    connection_ = std::move(present);
    next_ = unconfirmed_.first();
  }
  collect(*connection_);
  publish(*connection_);
  return *connection_;
}

void NatsProducer::publish(NatsConnection& connection) {
  next_ = std::max(next_, unconfirmed_.first());
  if (unconfirmed_.empty()) return;
  const uint64_t end = std::min(unconfirmed_.end(), unconfirmed_.first() + window());
  const NatsConnection::Cork cork(connection);
  for (; next_ < end && connection.has_room() && !connection.over(); ++next_) {
    if (unconfirmed_.confirmed(next_)) continue;
    const std::string& payload = unconfirmed_.payload(next_);
    connection.publish(settings_.subject.c_str(), reply_of(next_), payload.data(), payload.size());
  }
  if (unconfirmed_.much()) ask(connection, next_);
}

bool NatsProducer::add(NatsConnection& connection, const plugin::Message& message) {
  const size_t max = payload_max(connection);
  if (max > 0 && message.size > max) {
    throw Failure(KPS_INVALID_ARGUMENT, where() + ": a message of " + std::to_string(message.size) +
                                            " bytes is larger than the server takes, " + std::to_string(max));
  }
  if (!unconfirmed_.has_room(message.size)) return false;
  unconfirmed_.add(message.data, message.size);
  return true;
}

void NatsProducer::produce(const plugin::Messages& messages, milliseconds timeout, size_t& taken) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    NatsConnection& connection = advance();
    try {
      while (taken < messages.size() && add(connection, messages[taken])) ++taken;
    } catch (const Failure&) {
      publish(connection);  // those before it
      throw;
    }
    publish(connection);
    if (taken > 0 || messages.size() == 0 || Clock::now() >= deadline) return;
    if (client_.wait(deadline) == plugin::Wait::kWoken) return;
  }
}

void NatsProducer::flush(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (bool woken = false;;) {
    NatsConnection& connection = advance();
    if (unconfirmed_.empty()) return;
    if (!woken && next_ == unconfirmed_.end() && settle(connection, next_, deadline)) continue;
    const std::string rest =
        where() + ": " + std::to_string(unconfirmed_.end() - unconfirmed_.first()) + " messages are not confirmed yet";
    if (woken) throw Failure(KPS_CANCELLED, rest);
    if (Clock::now() >= deadline) throw Failure(KPS_DEADLINE_EXCEEDED, rest);
    woken = client_.wait(deadline) == plugin::Wait::kWoken;
  }
}

}  // namespace kps::plugins
