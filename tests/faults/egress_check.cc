#include "tests/faults/egress_check.h"

#include <algorithm>
#include <charconv>

#include "host/core/envelope.h"

namespace kps::faults {

EgressCheck::EgressCheck(Options options, Simulation* simulation) : options_(options), simulation_(simulation) {
  const bool some = simulation_->OneIn(3);
  const bool several = simulation_->OneIn(2);
  for (std::size_t i = 0; i < options_.envelopes; ++i) {
    const bool malformed = some && simulation_->OneIn(10);
    const std::size_t count = malformed ? 0 : several ? 1 + simulation_->Below(4) : 1;
    envelopes_.push_back({messages_.size(), messages_.size() + count, malformed});
    for (std::size_t j = 0; j < count; ++j) messages_.emplace_back().refused = some && simulation_->OneIn(10);
  }
}

void EgressCheck::FeedTo(FaultyTransport* transport) const {
  Time at = simulation_->Now();
  for (const Envelope& envelope : envelopes_) {
    std::string bytes = envelope.malformed ? "\x0C" : "";
    for (std::size_t i = envelope.first; i < envelope.end; ++i) {
      std::string one;
      AppendEnvelope({std::to_string(i), 1}, &one);
      bytes += one;  // two envelopes, back to back, are one of two payloads
    }
    if (simulation_->OneIn(20)) at += milliseconds(simulation_->Below(3000));
    transport->Feed(bytes, at);
  }
}

void EgressCheck::Break(const std::string& what, std::size_t message) {
  simulation_->Broken("message " + std::to_string(message) + ' ' + what);
}

std::size_t EgressCheck::IndexOf(std::string_view payload) {
  std::size_t index = messages_.size();
  (void)std::from_chars(payload.data(), payload.data() + payload.size(), index);
  if (index < messages_.size()) return index;
  simulation_->Broken("a message is none that was received: \"" + std::string(payload) + '"');
  return 0;
}

void EgressCheck::OnTaken(std::size_t message) {
  simulation_->Note("taken", static_cast<std::int64_t>(message));
  const auto passed = [](const Message& m) { return m.taken || m.told || m.dead_arrived || m.excused; };
  while (next_taken_ < messages_.size() && passed(messages_[next_taken_])) ++next_taken_;
  if (message > next_taken_ && !messages_[message].taken) Break("was produced before an earlier one", message);
  messages_[message].taken = true;
  buffer_.push_back(message);
}

void EgressCheck::OnFlushed() {
  const auto passed = [](const Message& m) { return m.deliveries > 0 || m.told || m.dead_arrived || m.excused; };
  for (const std::size_t message : buffer_) {
    while (next_delivered_ < messages_.size() && passed(messages_[next_delivered_])) ++next_delivered_;
    if (message > next_delivered_ && messages_[message].deliveries == 0) {
      Break("was delivered before an earlier one", message);
    }
    ++(messages_[message].deliveries++ == 0 ? delivered_ : duplicates_);
  }
  buffer_.clear();
}

void EgressCheck::OnProducerGone() {
  for (const std::size_t message : buffer_)
    messages_[message].excused = messages_[message].excused || !options_.keeping;
  buffer_.clear();
}

void EgressCheck::OnHostEnded(bool in_order, bool connected) {
  // What has failed for good is not tried again by a stop.
  const auto happened = [&](Fault fault) { return simulation_->fault_counts()[static_cast<std::size_t>(fault)] > 0; };
  const bool failed = failed_ || happened(Fault::kForbidden) || happened(Fault::kOpenFails);
  const bool blocked = options_.dead_letters && !connected;
  if (options_.keeping || (in_order && !failed && !blocked)) return;
  for (Message& message : messages_) message.excused = message.excused || (message.received && message.deliveries == 0);
}

std::vector<std::size_t> EgressCheck::IndexesOf(std::string_view envelope) const {
  std::vector<MessageView> views;
  std::vector<std::size_t> indexes;
  if (!DecodeEnvelope(envelope, &views).ok()) return indexes;  // that of a malformed one
  for (const MessageView& view : views) {
    std::size_t index = messages_.size();
    (void)std::from_chars(view.payload.data(), view.payload.data() + view.payload.size(), index);
    if (index < messages_.size()) indexes.push_back(index);
  }
  return indexes;
}

void EgressCheck::OnArrived(const std::string&, std::string_view envelope) {
  for (const std::size_t i : IndexesOf(envelope)) messages_[i].dead_arrived = true;
}

void EgressCheck::OnConfirmTold(std::uint64_t, std::string_view envelope) {
  for (const std::size_t i : IndexesOf(envelope)) messages_[i].dead_confirmed = true;
}

void EgressCheck::OnReceived(std::size_t envelope) {
  for (std::size_t i = envelopes_[envelope].first; i < envelopes_[envelope].end; ++i) messages_[i].received = true;
}

void EgressCheck::OnAcknowledged(std::size_t envelope) {
  for (std::size_t i = envelopes_[envelope].first; i < envelopes_[envelope].end; ++i) {
    const Message& message = messages_[i];
    if (message.deliveries > 0 || message.dead_confirmed || GivenUp(message) || message.excused) continue;
    Break("was acknowledged before it was flushed", i);
  }
}

void EgressCheck::OnLost(std::size_t envelope) {
  for (std::size_t i = envelopes_[envelope].first; i < envelopes_[envelope].end; ++i) messages_[i].excused = true;
}

void EgressCheck::Finish() {
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const Message& message = messages_[i];
    if (message.deliveries > 0 || message.dead_arrived || GivenUp(message) || message.excused) continue;
    ++lost_;
    Break("is lost", i);
  }
}

std::uint64_t EgressCheck::refused() const {
  return static_cast<std::uint64_t>(std::count_if(messages_.begin(), messages_.end(), [](const Message& m) {
    return (m.told || m.dead_arrived) && m.deliveries == 0;
  }));
}

std::uint64_t EgressCheck::given_up() const {
  return static_cast<std::uint64_t>(std::count_if(messages_.begin(), messages_.end(), [](const Message& m) {
    return m.excused && !m.told && !m.dead_arrived && m.deliveries == 0;
  }));
}

}  // namespace kps::faults
