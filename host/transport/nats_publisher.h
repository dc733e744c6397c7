// A publisher on a NatsConnection. Internal to host/transport.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "host/core/mutex.h"
#include "host/core/transport.h"
#include "host/transport/nats_connection.h"

namespace kps {

class NatsPublisher : public Publisher {
 public:
  NatsPublisher(std::shared_ptr<NatsConnection> connection, std::string channel);
  ~NatsPublisher() override;

  Result<std::uint64_t> Publish(const Outgoing& outgoing) override;
  std::uint64_t Confirmed() const override { return confirmed_; }
  Error AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) override;

  // What follows is for the connection, on any thread.

  // Never given twice, unlike the address: a confirm must not reach a publisher made since at the same place.
  std::uint64_t serial() const { return serial_; }
  // The newest ticket that was published on `link` and waits for a confirm; 0: none does.
  std::uint64_t Outstanding(const NatsLink& link);
  bool HasOutstanding();
  void MarkConfirmed(std::uint64_t ticket);
  // The server does not permit to publish to `channel`.
  void Refuse(const std::string& channel);
  // The connection changed: whoever waits looks again.
  void Notify();

 private:
  // Whether something is outstanding on a link that is over, and so is lost. True once a loss.
  bool TakeLoss() KPS_REQUIRES(mutex_);
  // Makes link_ one that is not over. ABORTED: something was lost with the former. UNAVAILABLE: there is none.
  Error TakeLink();
  Error Refused() const;
  Error Describe(int status, const Outgoing& outgoing);

  const std::shared_ptr<NatsConnection> connection_;
  const std::string channel_;
  const std::uint64_t serial_;
  std::shared_ptr<NatsLink> link_;  // of the caller; null: none yet

  // Written by the caller alone. The first is the serial of link_, with which everything outstanding was published; it
  // is written before issued_ and read after it.
  std::atomic<std::uint64_t> link_serial_{0};
  std::atomic<std::uint64_t> issued_{0};
  std::atomic<bool> refused_{false};
  std::atomic<std::uint64_t> confirmed_{0};

  Mutex mutex_;
  CondVar changed_;
  std::uint64_t resolved_ KPS_GUARDED_BY(mutex_) = 0;  // confirmed, or told to be lost
};

}  // namespace kps
