#include "tests/faults/faulty_transport.h"

#include <algorithm>
#include <utility>

#include "tests/faults/faulty_ports.h"

namespace kps::faults {

Result<std::unique_ptr<Publisher>> FaultyTransport::OpenPublisher(const std::string& channel) {
  simulation_->Call("OpenPublisher");
  if (simulation_->dead()) return Error(Code::kUnavailable, "dead");
  if (simulation_->Happens(Fault::kOpenFails)) return simulation_->AnyError("cannot open");
  senders_.push_back(std::make_shared<Sender>());
  senders_.back()->serial = ++publishers_;
  return std::unique_ptr<Publisher>(new FaultyPublisher(this, senders_.back(), channel));
}

Result<std::unique_ptr<Subscription>> FaultyTransport::Subscribe(const std::string&, const std::string&) {
  simulation_->Call("Subscribe");
  if (simulation_->dead()) return Error(Code::kUnavailable, "dead");
  if (simulation_->Happens(Fault::kOpenFails)) return simulation_->AnyError("cannot subscribe");
  if (options_.keeping) {
    next_ = acknowledged_;
  } else {
    for (; next_ < fed_.size() && fed_[next_].at <= simulation_->Now(); ++next_) witness_->OnLost(next_);
  }
  return std::unique_ptr<Subscription>(new FaultySubscription(this));
}

bool FaultyTransport::Connected() const { return connected_ || simulation_->Now() >= back_at_; }

void FaultyTransport::CatchUp() {
  for (; !wire_.empty() && wire_.front().arrives_at <= simulation_->Now(); wire_.pop_front()) Arrive(wire_.front());
  if (!connected_ && simulation_->Now() >= back_at_) {
    connected_ = true;
    simulation_->Note("connected");
  }
}

void FaultyTransport::MayDisconnect() {
  if (!connected_ || !simulation_->Happens(Fault::kDisconnect)) return;
  BreakWire();
  for (const auto& sender : senders_) sender->lost = sender->lost || !sender->open.empty();
  connected_ = false;
  back_at_ = simulation_->Now() + milliseconds(simulation_->OneIn(10) ? 600'000 : simulation_->Below(5000));
}

void FaultyTransport::Kill() {
  BreakWire();
  senders_.clear();
}

void FaultyTransport::BreakWire() {
  const auto arrive = wire_.begin() + static_cast<std::ptrdiff_t>(simulation_->Below(wire_.size() + 1));
  std::for_each(wire_.begin(), arrive, [&](const OnWire& envelope) { Arrive(envelope); });
  wire_.clear();
}

void FaultyTransport::Arrive(const OnWire& envelope) {
  for (int i = 0; i < envelope.times; ++i) witness_->OnArrived(envelope.channel, envelope.envelope);
}

void FaultyTransport::Send(Sender* sender, const std::string& channel, const Outgoing& outgoing) {
  const auto delay = [&] {
    return milliseconds(simulation_->Happens(Fault::kSlow) ? simulation_->Below(3000) : simulation_->Below(3));
  };
  const bool dropped = simulation_->Happens(Fault::kDrop);
  const int times = dropped ? 0 : simulation_->Happens(Fault::kDouble) ? 2 : 1;
  wire_until_ = std::max(wire_until_, simulation_->Now() + delay());  // nothing overtakes on the wire
  wire_.push_back({channel, std::string(outgoing.envelope), wire_until_, times});
  sender->open.push_back({++sender->issued, std::string(outgoing.envelope), wire_until_ + delay(), dropped});
}

}  // namespace kps::faults
