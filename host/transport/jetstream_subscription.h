// A subscription on a NatsConnection that pulls from a durable JetStream consumer. Internal to host/transport.
//
// On each link the stream and the consumer are bound anew, by the thread that receives. What was received stays in the
// backlog, which also says what has been dealt with. The connection's thread tells the server that it is in progress.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "host/core/mutex.h"
#include "host/core/transport.h"
#include "host/transport/jetstream_backlog.h"
#include "host/transport/jetstream_pull.h"
#include "host/transport/jetstream_streams.h"

typedef struct __natsSubscription natsSubscription;

namespace kps {

class JetStreamSubscription : public Subscription, private NatsConnection::Chore {
 public:
  static Result<std::unique_ptr<Subscription>> Open(std::shared_ptr<JetStreamStreams> streams, std::string channel,
                                                    const std::string& name);
  ~JetStreamSubscription() override;

  Result<Delivery> Receive(std::chrono::milliseconds timeout) override;
  std::optional<Delivery> ReceiveMore() override;
  void Acknowledge(std::uint64_t receipt) override;
  bool Return() override;
  void Drain() override;
  std::uint64_t Dropped() const override { return 0; }

 private:
  using Clock = std::chrono::steady_clock;
  using Handle = std::shared_ptr<natsSubscription>;  // keeps its link, too

  JetStreamSubscription(std::shared_ptr<JetStreamStreams> streams, std::string channel, const std::string& name);
  bool IsDraining() const { return drain_deadline_.load() != Clock::time_point{}; }

  // Goes on with the connection's link, if it is another. UNAVAILABLE: the stream or the consumer cannot be used.
  Error Bind();
  void TakeOver(std::shared_ptr<NatsLink> link, const StreamBinding& stream, const ConsumerBinding& consumer);
  // Asks for what the consumer has delivered to nobody who is there still: to a host that has died, or to a connection
  // that broke. It would come after the ack wait, and out of its order.
  void AskForAbandoned(const ConsumerBinding& consumer) KPS_REQUIRES(mutex_);
  // Moves what has come to the backlog.
  void Collect() KPS_REQUIRES(mutex_);
  // What libnats has taken from the handle. False: nothing.
  bool Admit(int status, natsMsg* message) KPS_REQUIRES(mutex_);
  // The next of the backlog.
  std::optional<Delivery> TakeNext() KPS_REQUIRES(mutex_);
  // The subject of the requests for messages.
  std::string Requests() const KPS_REQUIRES(mutex_);
  // Asks for more where there is room.
  void Pull() KPS_REQUIRES(mutex_);
  // False: the link is over, and it is said again on the next.
  bool Say(const char* reply, const char* what) KPS_REQUIRES(mutex_);
  void SayInProgress(Clock::duration older_than) KPS_REQUIRES(mutex_);
  void DoChore() override;
  // Waits until something has come, which is collected, or for a while.
  void Wait(std::chrono::milliseconds timeout);
  bool Drained() KPS_REQUIRES(mutex_);
  // Whether the server still gives what was asked for. UNAVAILABLE, once: it does not. PERMISSION_DENIED: nor may it.
  Error CheckGiven() KPS_REQUIRES(mutex_);

  const std::shared_ptr<JetStreamStreams> streams_;
  const std::string channel_;
  const std::string consumer_;
  std::atomic<Clock::time_point> drain_deadline_{Clock::time_point{}};

  Mutex mutex_;
  JetStreamBacklog backlog_ KPS_GUARDED_BY(mutex_);
  std::shared_ptr<NatsLink> link_ KPS_GUARDED_BY(mutex_);  // null: none yet
  Handle handle_ KPS_GUARDED_BY(mutex_);                   // of link_; null: to be bound
  bool waiting_ KPS_GUARDED_BY(mutex_) = false;            // somebody takes from the handle without the lock
  bool drained_ KPS_GUARDED_BY(mutex_) = false;            // nothing more comes from the handle
  std::string stream_ KPS_GUARDED_BY(mutex_);
  std::string stream_created_ KPS_GUARDED_BY(mutex_);
  std::string inbox_ KPS_GUARDED_BY(mutex_);
  std::chrono::milliseconds ack_wait_ KPS_GUARDED_BY(mutex_){0};
  JetStreamPull pull_ KPS_GUARDED_BY(mutex_);
  std::uint64_t refusals_seen_ KPS_GUARDED_BY(mutex_) = 0;  // what was not permitted, since it was bound
  bool rebind_ KPS_GUARDED_BY(mutex_) = false;              // the consumer is gone, or was changed
};

}  // namespace kps
