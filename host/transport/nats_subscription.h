// A subscription on a NatsConnection. Internal to host/transport.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

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
  void Drain() override;
  std::uint64_t Dropped() const override;

  // For the connection, on any thread: goes on with another link.
  Error OpenOn(const std::shared_ptr<NatsLink>& link);

 private:
  using MessagePtr = std::unique_ptr<natsMsg, void (*)(natsMsg*)>;
  using Handle = std::shared_ptr<natsSubscription>;  // keeps its link, too

  NatsSubscription(std::shared_ptr<NatsConnection> connection, std::string channel);
  bool IsDraining() const { return drain_deadline_.load() != std::chrono::steady_clock::time_point{}; }
  Handle handle() const;
  // Waits until there is another handle than `former`.
  void WaitForLink(const Handle& former, std::chrono::milliseconds timeout);

  const std::shared_ptr<NatsConnection> connection_;
  const std::string channel_;

  MessagePtr current_;  // of the thread that receives
  bool ended_ = false;  // likewise
  std::atomic<std::chrono::steady_clock::time_point> drain_deadline_{std::chrono::steady_clock::time_point{}};

  mutable Mutex mutex_;
  CondVar changed_;
  Handle handle_ KPS_GUARDED_BY(mutex_);                      // null: not opened yet
  mutable std::uint64_t dropped_ KPS_GUARDED_BY(mutex_) = 0;  // of the handle, as last read
  std::uint64_t dropped_before_ KPS_GUARDED_BY(mutex_) = 0;   // of former handles
};

}  // namespace kps
