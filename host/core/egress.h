// Egress: transport -> bounded subscription -> produce -> flush -> acknowledge. Of the stream's thread, except Drain.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/mutex.h"
#include "host/core/pending_deliveries.h"
#include "host/core/plugin.h"
#include "host/core/stream_context.h"
#include "host/core/transport.h"
#include "host/core/undeliverable.h"

namespace kps {

class Egress {
 public:
  // What `context` points to outlives it.
  explicit Egress(const StreamContext& context);

  // Subscribes, unless it is. By the constructor of the stream, too, before its thread exists.
  Error Subscribe();
  bool subscribed() const { return subscription_ != nullptr; }
  // No more than what has arrived is to be delivered. Any thread.
  void Drain();
  // Goes on with what `former`, which has ended, leaves: what it had in hand, and what has arrived since.
  void TakeOver(Egress* former);
  // Carries until the producer has to be made anew, or the stream ends or is to move; what was taken is flushed then.
  void Run(Producer* producer);
  // The stream is to end now: at once, or when its drain has had its time.
  bool IsToEnd();
  // The stream ends, perhaps with something not delivered: says so. Returns how many messages are lost that were never
  // in hand.
  std::size_t End();

 private:
  // What was received last, as far as it is not dealt with.
  struct InHand {
    std::vector<PendingDeliveries::Copy> envelopes;
    std::size_t left = 0;  // of their messages, the last ones
  };

  // The error: it could not flush, and is not to be asked again.
  Error Carry(Producer* producer);
  bool Receive(std::chrono::milliseconds timeout);  // false: drained, or lost
  bool ReactToReceiveError(const Error& error);     // false: the subscription is lost
  bool ProducePending(Producer* producer);          // false: nothing more can be done
  bool AwaitRecovery();                             // false: the stream is to hand over
  bool ReactToProduceError(const Error& error);
  void Took(std::size_t count);
  void DealtWith(std::size_t count);
  bool IsTimeToFlush() const;
  Error Flush(Producer* producer);
  Error FlushProducer(Producer* producer);
  void KeepInHand();
  // The producer goes, and with it what it took and did not deliver.
  void GiveUpUnflushed(const Error& error);
  void ForgetReceipts();
  void SetOldest(StreamControl::TimePoint since);
  void ReportDrops();
  StreamControl::TimePoint Now() const { return environment_->clock->Now(); }

  const StreamSpec* const stream_;
  const StreamEnvironment* const environment_;
  StreamControl* const control_;
  StreamHealth* const health_;
  Ledger* const ledger_;
  Undeliverable undeliverable_;

  Mutex mutex_;  // held when the subscription is set, and by others, who drain it
  std::unique_ptr<Subscription> subscription_;
  bool drain_begun_ = false;

  InHand in_hand_;             // between two instances
  PendingDeliveries pending_;  // of an instance: what was received last, or what was in hand
  StreamControl::TimePoint received_at_{};
  std::uint64_t handled_receipt_ = 0;  // everything up to it was taken by the producer, or dropped
  std::uint64_t acknowledged_receipt_ = 0;
  std::uint32_t attempts_ = 0;   // to deliver the first of what is pending, that failed for a while
  std::uint64_t unflushed_ = 0;  // taken by the producer since the last flush
  StreamControl::TimePoint unflushed_since_{};
  StreamControl::TimePoint flushed_at_{};
  std::uint64_t drops_reported_ = 0;  // of the subscription
  bool receive_alert_ = false;
};

}  // namespace kps
