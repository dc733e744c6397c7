// A subscription on a NatsConnection. Internal to host/transport.
#pragma once

#include <nats/status.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "host/core/mutex.h"
#include "host/core/transport.h"
#include "host/transport/nats_connection.h"

typedef struct __natsMsg natsMsg;
typedef struct __natsSubscription natsSubscription;

namespace kps {

class NatsSubscription : public Subscription {
 public:
  static Result<std::unique_ptr<Subscription>> Open(std::shared_ptr<NatsConnection> connection, std::string channel);
  ~NatsSubscription() override;

  Result<Delivery> Receive(std::chrono::milliseconds timeout) override;
  std::optional<Delivery> ReceiveMore() override;
  void Acknowledge(std::uint64_t) override {}
  bool Return() override { return false; }
  void Drain() override;
  std::uint64_t Dropped() const override;

  // For the connection, one call at a time: goes on with another link, after what the former ones have brought.
  Error OpenOn(const std::shared_ptr<NatsLink>& link);

 private:
  using MessagePtr = std::unique_ptr<natsMsg, void (*)(natsMsg*)>;
  using Handle = std::shared_ptr<natsSubscription>;  // keeps its link, too

  NatsSubscription(std::shared_ptr<NatsConnection> connection, std::string channel);
  bool IsDraining() const { return drain_deadline_.load() != std::chrono::steady_clock::time_point{}; }
  // One piece of a wait: adds the next of what has arrived to given_. NATS_OK without one: look again.
  natsStatus Take(std::chrono::milliseconds timeout);
  // Goes on to what came after the handle that was read, of which nothing is left. Null: to another handle.
  MessagePtr TakeCarried();
  // Moves what is left in newest_ to carried_.
  void CarryNewest() KPS_REQUIRES(mutex_);
  // Reads the count of newest_.
  void CountDropped() const KPS_REQUIRES(mutex_);
  // Waits until newest_ is another than `handle`.
  void WaitForLink(const Handle& handle, std::chrono::milliseconds timeout);

  const std::shared_ptr<NatsConnection> connection_;
  const std::string channel_;

  std::vector<MessagePtr> given_;                  // since the last Receive; of the thread that receives
  bool ended_ = false;                             // likewise
  std::atomic<std::uint64_t> refusals_before_{0};  // it was subscribed last
  std::atomic<std::chrono::steady_clock::time_point> drain_deadline_{std::chrono::steady_clock::time_point{}};

  // What has arrived waits in this order in reading_, carried_ and newest_. While the link is the first, or nothing is
  // left of the former ones, reading_ is newest_. More than these two handles there are not, however long the caller
  // takes and however often the link is another.
  mutable Mutex mutex_;
  CondVar changed_;
  Handle reading_ KPS_GUARDED_BY(mutex_);  // null: there was no link yet
  std::deque<MessagePtr> carried_ KPS_GUARDED_BY(mutex_);
  std::int64_t carried_bytes_ KPS_GUARDED_BY(mutex_) = 0;
  Handle newest_ KPS_GUARDED_BY(mutex_);
  mutable std::uint64_t dropped_ KPS_GUARDED_BY(mutex_) = 0;  // of newest_, as last read
  std::uint64_t dropped_before_ KPS_GUARDED_BY(mutex_) = 0;   // of former handles
};

}  // namespace kps
