// Egress: transport -> bounded subscription -> produce -> flush.
#include <algorithm>
#include <span>
#include <utility>

#include "host/core/envelope.h"
#include "host/core/stream_runner.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kIdle{100};  // one wait for a message; a drain ends it early, a restart waits it out
constexpr milliseconds kProduceTimeout{1000};
constexpr milliseconds kFlushTimeout{10'000};
constexpr milliseconds kFlushInterval{1000};  // under load; an idle stream is flushed at once
// A transport that wants acknowledgements may give no more while so many are missing.
constexpr std::uint64_t kUnacknowledgedMax = 4096;
constexpr milliseconds kDeadLetterTimeout{5000};
constexpr milliseconds kLogInterval{1000};
constexpr milliseconds kStalledWait{10};  // after a produce that took nothing and named no error

// Errors that are about the message, not about the stream: the next message may well be taken.
bool IsAboutMessage(Code code) { return code == Code::kInvalidArgument || code == Code::kOutOfRange; }

}  // namespace

void StreamRunner::RunEgress(Producer* producer) {
  // What a predecessor or a failed instance of this stream had in hand comes first.
  Unpack(handover_.in_hand.envelope);
  pending_taken_ = pending_.size() - handover_.in_hand.left;
  pending_receipt_ = handover_.in_hand.receipt;
  in_trouble_ = false;

  bool more = true;
  while (more && !events_.failed() && !IsToEnd()) {
    if (!ProducePending(producer)) break;
    ReportConnection();
    more = ReceiveMore(milliseconds(0));
    if (!more) break;
    const bool idle = pending_.empty();
    if (!idle && !IsTimeToFlush()) continue;
    if (const Error error = FlushProducer(producer); !error.ok()) {
      in_trouble_ = true;
      ReactToError("flush", error);
    }
    ReportDrops();
    if (idle && !events_.failed()) more = ReceiveMore(kIdle);
  }
  // The views end with the delivery, so what is not dealt with is kept as a copy.
  Handover::InHand rest;
  rest.left = pending_.size() - pending_taken_;
  rest.receipt = pending_receipt_;
  if (rest.left > 0) rest.envelope = envelope_;
  handover_.in_hand = std::move(rest);
  pending_.clear();
  pending_taken_ = 0;
  if (const Error error = FlushProducer(producer); !error.ok()) ReturnUnflushed(error);
  // One that had failed before has not tried for the stop.
  drain_tried_ = drain_tried_ || (Stopping() && !events_.failed());
}

// The instance goes, and with it what it took and did not deliver.
void StreamRunner::ReturnUnflushed(const Error& error) {
  const bool comes_again = handover_.subscription && handover_.subscription->Return();
  if (comes_again) {
    ledger_->Return(unflushed_ + handover_.in_hand.left);
    ForgetReceipts();
  } else {
    ledger_->Drop(DropReason::kUnflushed, unflushed_);
  }
  unflushed_ = 0;
  events_.Log(LogLevel::kWarn, "what was delivered last could not be flushed" +
                                   std::string(comes_again ? ", and is fetched again: " : ": ") + error.ToString());
}

void StreamRunner::ForgetReceipts() {
  handover_.in_hand = {};
  pending_receipt_ = handled_receipt_ = acknowledged_receipt_ = 0;
}

bool StreamRunner::IsToEnd() {
  if (!Stopping()) return false;
  if (stop_mode_ == StopMode::kHandOver) return true;
  if (drain_deadline_ == steady_clock::time_point{}) {
    drain_deadline_ = environment_.clock->Now() + environment_.drain_timeout;
    if (handover_.subscription) handover_.subscription->Drain();
  }
  return environment_.clock->Now() >= drain_deadline_;
}

void StreamRunner::Unpack(std::string_view envelope) {
  envelope_ = envelope;
  malformed_ = DecodeEnvelope(envelope, &pending_);
  if (!malformed_.ok()) pending_.assign(1, {envelope, 0});
}

bool StreamRunner::ReceiveMore(milliseconds timeout) {
  handover_.in_hand = {};
  auto delivery = handover_.subscription->Receive(timeout);
  pending_.clear();
  pending_taken_ = 0;
  if (!delivery.ok()) {
    if (delivery.error().code() == Code::kDeadlineExceeded) return true;
    const bool drained = Stopping() && delivery.error().code() == Code::kCancelled;
    if (!drained) LoseSubscription(delivery.error());
    return false;
  }
  const Delivery& got = delivery.value();
  pending_receipt_ = got.receipt;
  earlier_attempts_ = got.attempt - 1;
  Unpack(got.envelope);
  if (!pending_.empty()) ledger_->Accept(pending_.size());
  received_at_ = environment_.clock->Now();
  if (unflushed_ == 0) SetOldest(received_at_);
  return true;
}

// The next instance subscribes anew.
void StreamRunner::LoseSubscription(const Error& error) {
  events_.Raise(kTransportSubscribeFailed, error.ToString());
  std::unique_ptr<Subscription> lost;
  {
    MutexLock lock(mutex_);
    lost = std::move(handover_.subscription);
  }
  drops_reported_ = 0;
  ForgetReceipts();
  ReactToError("receive from the transport", error);
}

bool StreamRunner::ProducePending(Producer* producer) {
  while (pending_taken_ < pending_.size()) {
    if (IsToEnd()) return false;
    const std::span<const MessageView> rest = std::span(pending_).subspan(pending_taken_);
    if (!malformed_.ok()) {
      events_.Raise(kEnvelopeMalformed, malformed_.message());
      if (!GiveUp(envelope_, DropReason::kMalformed, malformed_)) return false;
      ++pending_taken_;
      continue;
    }
    std::size_t taken = 0;
    const Error error = producer->Produce(rest, kProduceTimeout, &taken);
    taken = std::min(taken, rest.size());
    if (taken > 0) Took(taken);
    if (error.ok()) {
      if (taken > 0 || !WaitForStop(kStalledWait)) continue;
      if (stop_mode_ == StopMode::kHandOver) return false;
      Pause(kStalledWait);  // draining: see below
      continue;
    }
    if (error.transient()) ++attempts_;
    const bool hopeless = error.transient() && HasHadAllAttempts();
    if ((IsAboutMessage(error.code()) || hopeless) && taken < rest.size()) {
      const MessageView& message = pending_[pending_taken_];
      std::string envelope;
      AppendEnvelope(message, &envelope);
      if (!GiveUp(envelope, DropReason::kUndeliverable, error)) return false;
      ++pending_taken_;
      attempts_ = 0;
      continue;
    }
    if (Stopping() && !error.transient()) return false;
    if (Stopping()) {
      // Draining: the source of the error may recover within the deadline. WaitForStop would not wait any more.
      Pause(kStalledWait);
      continue;
    }
    ledger_->Retry();
    ReactToError("deliver a message", error);
    if (events_.failed()) return false;
  }
  handled_receipt_ = pending_receipt_;
  return true;
}

void StreamRunner::Took(std::size_t count) {
  if (unflushed_ == 0) unflushed_since_ = received_at_;
  unflushed_ += count;
  pending_taken_ += count;
  attempts_ = earlier_attempts_ = 0;
}

bool StreamRunner::HasHadAllAttempts() const {
  const std::uint32_t most = environment_.policy.attempts_max;
  return most > 0 && attempts_ + earlier_attempts_ >= most;
}

bool StreamRunner::GiveUp(std::string_view envelope, DropReason reason, const Error& error) {
  switch (environment_.policy.on_undeliverable) {
    case FailurePolicy::OnUndeliverable::kBlock:
      ReactToError("deliver a message", Error(Code::kFailedPrecondition, error.message()));
      return false;
    case FailurePolicy::OnUndeliverable::kDrop:
      ledger_->Drop(reason);
      ReportUndeliverable("dropped", error.message());
      return true;
    case FailurePolicy::OnUndeliverable::kDeadLetter: break;
  }
  while (true) {
    const Error put =
        dead_letters_.Put(envelope, error.message(), std::max(1U, attempts_ + earlier_attempts_), kDeadLetterTimeout);
    if (put.ok()) {
      ledger_->DeadLetter();
      ReportUndeliverable("sent to " + dead_letters_.channel(), error.message());
      return true;
    }
    if (put.code() == Code::kInvalidArgument) {
      ledger_->Drop(DropReason::kTooLarge);
      ReportUndeliverable("dropped, as " + put.message(), error.message());
      return true;
    }
    if (!put.transient()) {
      ReactToError("publish a dead letter", put);
      return false;
    }
    if (IsToEnd()) return false;
    ReportUnhealthy("cannot publish a dead letter: " + put.ToString());
    ledger_->Retry();
    if (Stopping()) {
      Pause(kStalledWait);
    } else {
      WaitForStop(std::min(backoff_.Next(), milliseconds(1000)));
    }
  }
}

void StreamRunner::ReportUndeliverable(const std::string& what, const std::string& reason) {
  const std::string text = reason + ": " + what + "; " + std::to_string(++undeliverable_) + " so far";
  events_.Raise(kMessageUndeliverable, text);
  // Where nothing can be delivered, a line for each would hold up whoever reads them.
  if (undeliverable_ > 1 && environment_.clock->Now() < undeliverable_logged_at_ + kLogInterval) return;
  undeliverable_logged_at_ = environment_.clock->Now();
  events_.Log(LogLevel::kError, "a message can never be delivered: " + text);
}

void StreamRunner::SetOldest(steady_clock::time_point since) { ledger_->SetOldest(since.time_since_epoch().count()); }

bool StreamRunner::IsTimeToFlush() const {
  return handled_receipt_ - acknowledged_receipt_ >= kUnacknowledgedMax ||
         environment_.clock->Now() - flushed_at_ >= kFlushInterval;
}

Error StreamRunner::FlushProducer(Producer* producer) {
  flushed_at_ = environment_.clock->Now();
  if (unflushed_ > 0) {
    if (Error error = producer->Flush(kFlushTimeout); !error.ok()) return error;
    in_trouble_ = false;
    const std::chrono::duration<double> latency = environment_.clock->Now() - unflushed_since_;
    ledger_->Deliver(std::exchange(unflushed_, 0), latency.count());
  }
  SetOldest(pending_taken_ < pending_.size() ? received_at_ : steady_clock::time_point{});
  if (handled_receipt_ > acknowledged_receipt_ && handover_.subscription) {
    handover_.subscription->Acknowledge(handled_receipt_);
    acknowledged_receipt_ = handled_receipt_;
  }
  return {};
}

void StreamRunner::ReportDrops() {
  const std::uint64_t dropped = handover_.subscription->Dropped();
  if (dropped == drops_reported_) return;
  ledger_->Miss(DropReason::kSlow, dropped - drops_reported_);
  drops_reported_ = dropped;
  events_.Raise(kTransportMessagesDropped,
                std::to_string(dropped) + " messages dropped since the stream was subscribed");
  events_.Log(LogLevel::kError, std::to_string(dropped) + " messages dropped: the stream is slower than its channel");
}

}  // namespace kps
