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

  Result<std::uint64_t> Publish(std::string_view envelope) override;
  std::uint64_t Confirmed() const override { return confirmed_; }
  Error AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) override;

  // Never given twice, unlike the address: a confirm must not reach a publisher made since at the same place.
  std::uint64_t serial() const { return serial_; }

  // For the confirmer. The newest ticket of `epoch` that waits for a confirm; 0: none does.
  std::uint64_t Outstanding(std::uint64_t epoch);
  bool HasOutstanding();
  void MarkConfirmed(std::uint64_t ticket);
  // The connection changed: whoever waits looks again.
  void Notify();

 private:
  // Whether what is outstanding was published on another connection than `epoch`, and so is lost. True once a loss.
  bool TakeLoss(std::uint64_t epoch) KPS_REQUIRES(mutex_);
  bool HasOutstandingLocked() const KPS_REQUIRES(mutex_) { return issued_ > resolved_; }

  const std::shared_ptr<NatsConnection> connection_;
  const std::string channel_;
  const std::uint64_t serial_;
  std::atomic<std::uint64_t> confirmed_{0};

  Mutex mutex_;
  CondVar changed_;
  std::uint64_t issued_ KPS_GUARDED_BY(mutex_) = 0;
  std::uint64_t resolved_ KPS_GUARDED_BY(mutex_) = 0;  // confirmed, or told to be lost
  std::uint64_t epoch_ KPS_GUARDED_BY(mutex_) = 0;     // of what is outstanding
};

}  // namespace kps
