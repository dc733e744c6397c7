#include "host/core/egress.h"

#include <algorithm>
#include <utility>

#include "host/core/envelope.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdle{100};  // one wait for a message; a drain ends it early, a restart waits it out
constexpr milliseconds kProduceTimeout{1000};
constexpr milliseconds kFlushTimeout{10'000};
constexpr milliseconds kFlushInterval{1000};  // under load; an idle stream is flushed at once
// A transport that wants acknowledgements may give no more while so many are missing.
constexpr std::uint64_t kUnacknowledgedMax = 4096;
// What a producer is given at once, as far as it has come. What is received is bounded by it, too, up to one envelope.
constexpr std::size_t kProduceMessagesMax = 256;
constexpr std::size_t kProduceBytesMax = 1024 * 1024;
constexpr milliseconds kStalledWait{10};  // after a produce that took nothing and named no error

// Errors that are about the message, not about the stream: the next message may well be taken.
bool IsAboutMessage(Code code) { return code == Code::kInvalidArgument || code == Code::kOutOfRange; }

}  // namespace

Egress::Egress(const StreamContext& context)
    : stream_(context.stream),
      environment_(context.environment),
      control_(context.control),
      health_(context.health),
      ledger_(context.ledger),
      undeliverable_(context) {}

Error Egress::Subscribe() {
  if (subscription_) {
    ReportDrops();  // also while no producer can be made
    return {};
  }
  auto subscription = environment_->transport->Subscribe(stream_->channel, stream_->id);
  if (!subscription.ok()) {
    health_->events().Raise(kTransportSubscribeFailed, subscription.error().ToString());
    return subscription.error();
  }
  health_->events().Clear(kTransportSubscribeFailed);
  MutexLock lock(mutex_);
  subscription_ = std::move(subscription.value());
  return {};
}

void Egress::Drain() {
  MutexLock lock(mutex_);
  if (subscription_) subscription_->Drain();
}

void Egress::TakeOver(Egress* former) {
  in_hand_ = std::move(former->in_hand_);
  drain_begun_ = false;  // of the subscription that comes with it
  MutexLock lock(mutex_);
  if (subscription_) return;
  subscription_ = std::move(former->subscription_);
  drops_reported_ = former->drops_reported_;
}

void Egress::Run(Producer* producer) {
  for (;;) {
    // What a former run, or a failed instance of this one, had in hand comes first.
    pending_.Clear();
    for (const auto& [envelope, receipt] : in_hand_.envelopes) pending_.Add({envelope, receipt});
    pending_.Take(pending_.left() - in_hand_.left);
    Error unflushed = Carry(producer);
    KeepInHand();
    if (control_->moving()) (void)control_->RestCarrier();
    if (unflushed.ok()) unflushed = Flush(producer);
    if (unflushed.ok()) return;
    // What only this producer has is not left behind for a move that may as well not be made.
    const Error why(unflushed.code(), "what it took cannot be flushed: " + unflushed.message());
    if (!unflushed.transient() || !control_->DeclineMove(why)) return GiveUpUnflushed(unflushed);
  }
}

Error Egress::Carry(Producer* producer) {
  while (!health_->failed() && !control_->moving() && !IsToEnd()) {
    if (!ProducePending(producer)) break;
    health_->ReportConnection();
    if (!Receive(milliseconds(0))) break;
    const bool idle = pending_.empty();
    if (!idle && !IsTimeToFlush()) continue;
    if (Error error = Flush(producer); !error.ok()) {
      health_->SetInTrouble(true);
      health_->ReactToError("flush", error);
      // One that could not flush vouches for nothing that it took before. Where that comes again, another one gets it.
      if (environment_->transport->KeepsMessages() || !error.transient()) return error;
    }
    if (idle && !Receive(kIdle)) break;
  }
  return {};
}

// The views end with the delivery, so what is not dealt with is kept as a copy.
void Egress::KeepInHand() {
  InHand rest{pending_.CopyRest(), pending_.left()};
  pending_.Clear();
  in_hand_ = std::move(rest);
}

void Egress::GiveUpUnflushed(const Error& error) {
  const bool comes_again = subscription_ ? subscription_->Return() : environment_->transport->KeepsMessages();
  if (comes_again) {
    ledger_->Return(unflushed_ + in_hand_.left);
    ForgetReceipts();
  } else {
    ledger_->Drop(DropReason::kUnflushed, unflushed_);
  }
  health_->SetInTrouble(comes_again);  // until that is flushed
  unflushed_ = 0;
  health_->events().Log(LogLevel::kWarn, "what was delivered last could not be flushed" +
                                             std::string(comes_again ? ", and is fetched again: " : ": ") +
                                             error.ToString());
}

void Egress::ForgetReceipts() {
  in_hand_ = {};
  handled_receipt_ = acknowledged_receipt_ = 0;
}

bool Egress::IsToEnd() {
  if (control_->draining() && !std::exchange(drain_begun_, true)) {
    (void)control_->RestCarrier();  // what comes until the deadline is produced and flushed as ever
    Drain();
  }
  return control_->IsToEnd();
}

std::size_t Egress::End() {
  if (subscription_) ReportDrops();
  if (subscription_ && subscription_->Return()) {
    ledger_->Return(in_hand_.left);
    if (in_hand_.left == 0) return 0;
    health_->events().Log(LogLevel::kInfo, "received messages were not delivered in time: they come again");
    return 0;
  }
  ledger_->Drop(DropReason::kStopped, in_hand_.left);
  std::size_t queued = 0;
  if (subscription_) {
    subscription_->Drain();
    while (subscription_->Receive(milliseconds(0)).ok()) ++queued;
  }
  if (const std::size_t lost = queued + in_hand_.left; lost > 0) {
    health_->events().Log(LogLevel::kWarn,
                          std::to_string(lost) + " received messages were not delivered in time and are lost");
  }
  return queued;
}

bool Egress::Receive(milliseconds timeout) {
  in_hand_ = {};
  pending_.Clear();
  auto delivery = subscription_->Receive(timeout);
  if (receive_alert_ && (delivery.ok() || delivery.error().code() == Code::kDeadlineExceeded)) {
    health_->events().Clear(kTransportSubscribeFailed);
    receive_alert_ = false;
  }
  if (!delivery.ok()) {
    if (delivery.error().code() == Code::kDeadlineExceeded) return true;
    if (control_->stopping() && delivery.error().code() == Code::kCancelled) return false;  // drained
    return ReactToReceiveError(delivery.error());
  }
  pending_.Add(delivery.value());
  while (pending_.left() < kProduceMessagesMax && pending_.bytes() < kProduceBytesMax) {
    const auto more = subscription_->ReceiveMore();
    if (!more) break;
    pending_.Add(*more);
  }
  DealtWith(0);  // those without a message
  if (!pending_.empty()) ledger_->Accept(pending_.left());
  received_at_ = Now();
  if (unflushed_ == 0) SetOldest(received_at_);
  return true;
}

bool Egress::ReactToReceiveError(const Error& error) {
  health_->events().Raise(kTransportSubscribeFailed, error.ToString());
  if (error.transient() && environment_->transport->KeepsMessages()) {
    // It knows what is in hand and what was acknowledged: it goes on with that when it can.
    receive_alert_ = true;
    health_->ReactToError("receive from the transport", error);
    return !control_->stopping();
  }
  // The next instance subscribes anew.
  std::unique_ptr<Subscription> lost;
  {
    MutexLock lock(mutex_);
    lost = std::move(subscription_);
  }
  drops_reported_ = 0;
  ForgetReceipts();
  health_->ReactToError("receive from the transport", error);
  return false;
}

bool Egress::ProducePending(Producer* producer) {
  while (pending_.left() > 0) {
    if (control_->moving() || IsToEnd()) return false;
    if (const Error& malformed = pending_.malformed(); !malformed.ok()) {
      health_->events().Raise(kEnvelopeMalformed, malformed.message());
      if (!undeliverable_.GiveUp(pending_.envelope(), DropReason::kMalformed, malformed, 1)) return false;
      DealtWith(1);
      continue;
    }
    std::size_t taken = 0;
    const Error error = producer->Produce(pending_.rest(), control_->Bounded(kProduceTimeout), &taken);
    Took(std::min(taken, pending_.rest().size()));
    if (error.ok()) {
      if (taken == 0 && !AwaitRecovery()) return false;
    } else if (!ReactToProduceError(error)) {
      return false;
    }
  }
  return true;
}

// A producer that takes nothing may take something soon: also while the stream drains, within its deadline.
bool Egress::AwaitRecovery() {
  ReportDrops();
  if (!control_->WaitForStop(kStalledWait)) return true;
  if (!control_->draining()) return false;
  control_->Pause(kStalledWait);
  return true;
}

bool Egress::ReactToProduceError(const Error& error) {
  ReportDrops();
  if (error.transient()) ++attempts_;
  const std::uint32_t most = environment_->policy.attempts_max;
  const bool hopeless = error.transient() && most > 0 && attempts_ >= most;
  if ((IsAboutMessage(error.code()) || hopeless) && pending_.left() > 0) {
    std::string envelope;
    AppendEnvelope(pending_.rest().front(), &envelope);
    if (!undeliverable_.GiveUp(envelope, DropReason::kUndeliverable, error, attempts_)) return false;
    DealtWith(1);
    attempts_ = 0;
    return true;
  }
  if (control_->stopping()) return error.transient() && AwaitRecovery();
  health_->ReactToError("deliver a message", error);
  return !health_->failed();
}

void Egress::Took(std::size_t count) {
  if (count == 0) return;
  if (unflushed_ == 0) unflushed_since_ = received_at_;
  unflushed_ += count;
  DealtWith(count);
  attempts_ = 0;
}

void Egress::DealtWith(std::size_t count) {
  pending_.Take(count);
  if (const std::uint64_t receipt = pending_.handled_receipt(); receipt > 0) handled_receipt_ = receipt;
}

void Egress::SetOldest(StreamControl::TimePoint since) { ledger_->SetOldest(since.time_since_epoch().count()); }

bool Egress::IsTimeToFlush() const {
  return handled_receipt_ - acknowledged_receipt_ >= kUnacknowledgedMax || Now() - flushed_at_ >= kFlushInterval;
}

Error Egress::Flush(Producer* producer) {
  flushed_at_ = Now();
  if (unflushed_ > 0) {
    if (Error error = FlushProducer(producer); !error.ok()) return error;
    health_->SetInTrouble(false);
    const std::chrono::duration<double> latency = Now() - unflushed_since_;
    ledger_->Deliver(std::exchange(unflushed_, 0), latency.count());
  }
  SetOldest(pending_.left() > 0 || in_hand_.left > 0 ? received_at_ : StreamControl::TimePoint{});
  if (handled_receipt_ > acknowledged_receipt_ && subscription_) {
    subscription_->Acknowledge(handled_receipt_);
    acknowledged_receipt_ = handled_receipt_;
  }
  return {};
}

// The move or the stop that waits for it interrupts it, and yet what was taken is to be brought home first.
Error Egress::FlushProducer(Producer* producer) {
  for (;;) {
    Error error = producer->Flush(control_->Bounded(kFlushTimeout));
    if (error.ok() || !error.transient() || !control_->RestCarrier()) return error;
  }
}

void Egress::ReportDrops() {
  const std::uint64_t dropped = subscription_->Dropped();
  if (dropped == drops_reported_) return;
  ledger_->Miss(DropReason::kSlow, dropped - drops_reported_);
  drops_reported_ = dropped;
  health_->events().Raise(kTransportMessagesDropped,
                          std::to_string(dropped) + " messages dropped since the stream was subscribed");
  health_->events().Log(LogLevel::kError,
                        std::to_string(dropped) + " messages dropped: the stream is slower than its channel");
}

}  // namespace kps
