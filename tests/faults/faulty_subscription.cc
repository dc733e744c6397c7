#include <algorithm>

#include "tests/faults/faulty_ports.h"

namespace kps::faults {

bool FaultySubscription::Arrived() const {
  const auto& fed = transport_->fed_;
  if (draining_ && transport_->next_ >= drains_to_) return false;
  return transport_->next_ < fed.size() && fed[transport_->next_].at <= simulation_->Now();
}

Delivery FaultySubscription::Give(std::size_t envelope) {
  current_.push_back(transport_->fed_[envelope].envelope);
  given_.push_back({++receipts_, envelope});
  transport_->witness_->OnReceived(envelope);
  simulation_->Note("received", static_cast<std::int64_t>(envelope), static_cast<std::int64_t>(receipts_));
  return Delivery{current_.back(), receipts_};
}

Result<Delivery> FaultySubscription::Receive(milliseconds timeout) {
  const Time deadline = simulation_->Now() + timeout;
  simulation_->Call("Receive", timeout.count());
  former_.swap(current_);  // who still looks at the last ones sees that
  for (std::string& envelope : former_) envelope.assign(envelope.size(), '#');
  current_.clear();
  if (simulation_->dead()) return Error(Code::kCancelled, "dead");
  const bool fails = simulation_->Happens(Fault::kReceiveFails);
  if (fails && transport_->options_.keeping) return Error(Code::kUnavailable, "for a moment");
  failed_ = failed_ || fails;
  if (failed_) return Error(Code::kUnavailable, "the subscription is gone");
  if (twice_ && !given_.empty()) {
    twice_ = false;
    return Give(given_.back().envelope);
  }
  const auto& fed = transport_->fed_;
  const bool acknowledged = given_.empty() || !transport_->options_.keeping;
  if (transport_->next_ == fed.size() && acknowledged && !draining_) transport_->when_drained();
  if (!Arrived() && !draining_) {
    const std::size_t next = transport_->next_;
    simulation_->PassUntil(next < fed.size() ? std::min(deadline, fed[next].at) : deadline);
  }
  if (Arrived() && !transport_->options_.keeping && simulation_->Happens(Fault::kOverflow)) {
    transport_->witness_->OnLost(transport_->next_++);
    ++dropped_;
  }
  if (!Arrived()) return draining_ ? Error(Code::kCancelled, "drained") : Error(Code::kDeadlineExceeded, "none");
  twice_ = transport_->options_.keeping && simulation_->Happens(Fault::kDelivered2);
  return Give(transport_->next_++);
}

std::optional<Delivery> FaultySubscription::ReceiveMore() {
  if (simulation_->dead() || failed_ || twice_ || !Arrived()) return std::nullopt;
  return Give(transport_->next_++);
}

void FaultySubscription::Acknowledge(std::uint64_t receipt) {
  simulation_->Note("Acknowledge", static_cast<std::int64_t>(receipt));
  if (simulation_->dead()) return;
  if (receipt == 0 || receipt > receipts_) simulation_->Broken("a receipt is acknowledged that was never given");
  const bool lost = simulation_->Happens(Fault::kAckLost);
  for (; !given_.empty() && given_.front().receipt <= receipt; given_.pop_front()) {
    transport_->witness_->OnAcknowledged(given_.front().envelope);
    // One that is lost is made good by the next: it says "up to".
    if (!lost) transport_->acknowledged_ = std::max(transport_->acknowledged_, given_.front().envelope + 1);
  }
}

bool FaultySubscription::Return() {
  simulation_->Note("Return");
  if (!transport_->options_.keeping) return false;
  if (simulation_->dead()) return true;
  transport_->next_ = transport_->acknowledged_;
  given_.clear();
  twice_ = false;
  return true;
}

void FaultySubscription::Drain() {
  simulation_->Note("Drain");
  if (draining_ || simulation_->dead()) return;
  draining_ = true;
  const auto& fed = transport_->fed_;
  for (drains_to_ = transport_->next_; drains_to_ < fed.size() && fed[drains_to_].at <= simulation_->Now();)
    ++drains_to_;
  // What is kept need not have been fetched yet.
  if (transport_->options_.keeping) drains_to_ -= simulation_->Below(drains_to_ - transport_->next_ + 1);
}

}  // namespace kps::faults
