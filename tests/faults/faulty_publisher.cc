#include <algorithm>

#include "tests/faults/faulty_ports.h"

namespace kps::faults {
namespace {

Error Lost() { return Error(Code::kAborted, "lost"); }
Error Forbidden() { return Error(Code::kPermissionDenied, "forbidden"); }

}  // namespace

bool FaultyPublisher::TooLarge(std::string_view envelope) const {
  return transport_->options_.envelope_bytes_max > 0 && envelope.size() > transport_->options_.envelope_bytes_max;
}

bool FaultyPublisher::TakeLoss() {
  if (!sender_->lost) return false;
  sender_->lost = false;
  sender_->open.clear();
  // What was confirmed just before, the host had no time to see: it may publish that again, too.
  for (const auto& each : sender_->untold) transport_->witness_->OnConfirmTold(0, each.envelope);
  sender_->untold.clear();
  transport_->witness_->OnLossTold(sender_->serial);
  simulation_->Note("loss told", static_cast<std::int64_t>(sender_->serial));
  return true;
}

Result<std::uint64_t> FaultyPublisher::Publish(const Outgoing& outgoing) {
  simulation_->Call("Publish", static_cast<std::int64_t>(sender_->issued + 1),
                    static_cast<std::int64_t>(outgoing.envelope.size()));
  if (simulation_->dead()) return Forbidden();
  transport_->CatchUp();
  transport_->MayDisconnect();
  if (simulation_->Happens(Fault::kForbidden)) forbidden_ = true;
  if (forbidden_) return Forbidden();
  if (TooLarge(outgoing.envelope)) {
    transport_->witness_->OnTooLarge(outgoing.envelope);
    return Error(Code::kInvalidArgument, "too large");
  }
  if (TakeLoss()) return Lost();
  if (!transport_->Connected()) return Error(Code::kUnavailable, "not connected");
  if (simulation_->Happens(Fault::kPublishFails)) return Error(Code::kUnavailable, "try again");
  if (simulation_->Happens(Fault::kFull)) {
    simulation_->Pass(milliseconds(1 + simulation_->Below(100)));
    return Error(Code::kResourceExhausted, "full");
  }
  transport_->Send(sender_.get(), channel_, outgoing);
  transport_->witness_->OnAccepted(sender_->serial, outgoing);
  return sender_->issued;
}

void FaultyPublisher::CatchUp() const {
  transport_->CatchUp();
  auto& open = sender_->open;
  while (!sender_->lost && !forbidden_ && !open.empty() && open.front().confirmed_at <= simulation_->Now()) {
    if (open.front().dropped) {
      sender_->lost = true;
      break;
    }
    sender_->confirmed = open.front().ticket;
    sender_->untold.push_back(std::move(open.front()));
    open.pop_front();
  }
}

void FaultyPublisher::Tell(std::uint64_t ticket) const {
  auto& untold = sender_->untold;
  for (; !untold.empty() && untold.front().ticket <= ticket; untold.pop_front()) {
    transport_->witness_->OnConfirmTold(sender_->serial, untold.front().envelope);
  }
}

std::uint64_t FaultyPublisher::Confirmed() const {
  if (simulation_->dead()) return sender_->confirmed;
  CatchUp();
  Tell(sender_->confirmed);
  simulation_->Note("Confirmed", static_cast<std::int64_t>(sender_->confirmed));
  return sender_->confirmed;
}

Error FaultyPublisher::AwaitConfirmed(std::uint64_t ticket, milliseconds timeout) {
  const Time deadline = simulation_->Now() + timeout;
  simulation_->Call("AwaitConfirmed", static_cast<std::int64_t>(ticket), timeout.count());
  if (simulation_->dead()) return ticket <= sender_->confirmed ? Error() : Forbidden();
  transport_->CatchUp();
  transport_->MayDisconnect();
  for (CatchUp(); sender_->confirmed < ticket; CatchUp()) {
    if (forbidden_) return Forbidden();
    if (TakeLoss()) return Lost();
    if (simulation_->Now() >= deadline) return Error(Code::kDeadlineExceeded, "not yet");
    const auto& open = sender_->open;
    simulation_->PassUntil(open.empty() ? deadline : std::min(deadline, open.front().confirmed_at));
  }
  Tell(ticket);
  return {};
}

}  // namespace kps::faults
