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
constexpr milliseconds kStalledWait{10};  // after a produce that took nothing and named no error

// Errors that are about the message, not about the stream: the next message may well be taken.
bool IsAboutMessage(Code code) { return code == Code::kInvalidArgument || code == Code::kOutOfRange; }

}  // namespace

void StreamRunner::RunEgress(Producer* producer) {
  // What a predecessor or a failed instance of this stream had in hand comes first.
  pending_.clear();
  pending_taken_ = 0;
  for (const std::string& payload : handover_.undelivered) pending_.push_back({payload, 0});
  pending_receipt_ = handover_.receipt;
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
  // The views end with the delivery, so what was not taken is kept as a copy.
  std::vector<std::string> undelivered;
  for (std::size_t i = pending_taken_; i < pending_.size(); ++i) undelivered.emplace_back(pending_[i].payload);
  pending_.clear();
  pending_taken_ = 0;
  handover_.undelivered = std::move(undelivered);
  handover_.receipt = pending_receipt_;
  if (const Error error = FlushProducer(producer); !error.ok()) ReturnUnflushed(error);
  drain_tried_ = drain_tried_ || Stopping();
}

// The instance goes, and with it what it took and did not deliver.
void StreamRunner::ReturnUnflushed(const Error& error) {
  const bool comes_again = handover_.subscription && handover_.subscription->Return();
  if (comes_again) {
    handover_.undelivered.clear();
    ForgetReceipts();
  }
  events_.Log(LogLevel::kWarn, "what was delivered last could not be flushed" +
                                   std::string(comes_again ? ", and is fetched again: " : ": ") + error.ToString());
  dirty_ = false;
}

void StreamRunner::ForgetReceipts() {
  handover_.receipt = 0;
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

bool StreamRunner::ReceiveMore(milliseconds timeout) {
  handover_.undelivered.clear();
  auto delivery = handover_.subscription->Receive(timeout);
  pending_.clear();
  pending_taken_ = 0;
  if (!delivery.ok()) {
    if (delivery.error().code() == Code::kDeadlineExceeded) return true;
    const bool drained = Stopping() && delivery.error().code() == Code::kCancelled;
    if (!drained) LoseSubscription(delivery.error());
    return false;
  }
  pending_receipt_ = delivery.value().receipt;
  if (const Error error = DecodeEnvelope(delivery.value().envelope, &pending_); !error.ok()) {
    pending_.clear();
    events_.Raise(kEnvelopeMalformed, error.message());
  }
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
    std::size_t taken = 0;
    const std::span<const MessageView> rest = std::span(pending_).subspan(pending_taken_);
    const Error error = producer->Produce(rest, kProduceTimeout, &taken);
    pending_taken_ += std::min(taken, rest.size());
    dirty_ = dirty_ || taken > 0;
    if (error.ok()) {
      if (taken > 0 || !WaitForStop(kStalledWait)) continue;
      if (stop_mode_ == StopMode::kHandOver) return false;
      Pause(kStalledWait);  // draining: see below
      continue;
    }
    if (IsAboutMessage(error.code()) && taken < rest.size()) {
      ++pending_taken_;
      events_.Raise(kMessageUndeliverable, error.message());
      events_.Log(LogLevel::kError, "a message was dropped: " + error.message());
      continue;
    }
    if (Stopping() && !error.transient()) return false;
    if (Stopping()) {
      // Draining: the source of the error may recover within the deadline. WaitForStop would not wait any more.
      Pause(kStalledWait);
      continue;
    }
    ReactToError("deliver a message", error);
    if (events_.failed()) return false;
  }
  handled_receipt_ = pending_receipt_;
  return true;
}

bool StreamRunner::IsTimeToFlush() const {
  return handled_receipt_ - acknowledged_receipt_ >= kUnacknowledgedMax ||
         environment_.clock->Now() - flushed_at_ >= kFlushInterval;
}

Error StreamRunner::FlushProducer(Producer* producer) {
  flushed_at_ = environment_.clock->Now();
  if (dirty_) {
    if (Error error = producer->Flush(kFlushTimeout); !error.ok()) return error;
    dirty_ = false;
    in_trouble_ = false;
  }
  if (handled_receipt_ > acknowledged_receipt_ && handover_.subscription) {
    handover_.subscription->Acknowledge(handled_receipt_);
    acknowledged_receipt_ = handled_receipt_;
  }
  return {};
}

void StreamRunner::ReportDrops() {
  const std::uint64_t dropped = handover_.subscription->Dropped();
  if (dropped == drops_reported_) return;
  drops_reported_ = dropped;
  events_.Raise(kTransportMessagesDropped,
                std::to_string(dropped) + " messages dropped since the stream was subscribed");
  events_.Log(LogLevel::kError, std::to_string(dropped) + " messages dropped: the stream is slower than its channel");
}

}  // namespace kps
