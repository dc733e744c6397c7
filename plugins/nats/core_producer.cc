#include "core_producer.h"

#include <algorithm>
#include <utility>

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kAtOnceMax{25};

}  // namespace

CoreProducer::CoreProducer(const plugin::Stream& stream, NatsEgressSettings settings)
    : NatsProducer(stream, std::move(settings)) {
  client_.start();
}

CoreProducer::~CoreProducer() { stop(); }

void CoreProducer::collect(NatsConnection& connection) {
  if (asked_on_ == nullptr) return;
  if (asked_on_ != &connection) {
    asked_on_ = nullptr;
  } else if (client_.answered(ticket_)) {
    asked_on_ = nullptr;
    connection.check();  // it has answered, and may have refused
    unconfirmed_.confirm_before(asked_end_);
  }
}

void CoreProducer::ask(NatsConnection& connection, uint64_t end) {
  if (asked_on_ == &connection) return;  // once it is answered, collect is followed by the next
  asked_on_ = &connection;
  asked_end_ = end;
  ticket_ = client_.ask_round_trip();
}

bool CoreProducer::settle(NatsConnection& connection, uint64_t end, Clock::time_point deadline) {
  if (asked_on_ == &connection) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  if (connection.round_trip(std::min(left, kAtOnceMax))) {
    unconfirmed_.confirm_before(end);
    return true;
  }
  ask(connection, end);  // it takes longer, and a wake could not end it here
  return false;
}

}  // namespace kps::plugins
