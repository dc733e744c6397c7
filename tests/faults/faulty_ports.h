// What FaultyTransport hands out.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "tests/faults/faulty_transport.h"

namespace kps::faults {

class FaultyPublisher : public Publisher {
 public:
  FaultyPublisher(FaultyTransport* transport, std::shared_ptr<FaultyTransport::Sender> sender, std::string channel)
      : transport_(transport),
        simulation_(transport->simulation_),
        sender_(std::move(sender)),
        channel_(std::move(channel)) {}

  using Publisher::Publish;
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override;
  std::uint64_t Confirmed() const override;
  Error AwaitConfirmed(std::uint64_t ticket, milliseconds timeout) override;

 private:
  void CatchUp() const;
  // The host learns that everything up to this ticket is confirmed.
  void Tell(std::uint64_t ticket) const;
  // Of a loss that is to be told: it is, once.
  bool TakeLoss();
  bool TooLarge(std::string_view envelope) const;

  FaultyTransport* const transport_;
  Simulation* const simulation_;
  const std::shared_ptr<FaultyTransport::Sender> sender_;
  const std::string channel_;
  bool forbidden_ = false;
};

class FaultySubscription : public Subscription {
 public:
  explicit FaultySubscription(FaultyTransport* transport)
      : transport_(transport), simulation_(transport->simulation_) {}

  Result<Delivery> Receive(milliseconds timeout) override;
  std::optional<Delivery> ReceiveMore() override;
  void Acknowledge(std::uint64_t receipt) override;
  bool Return() override;
  void Drain() override;
  std::uint64_t Dropped() const override { return dropped_; }

 private:
  struct Given {
    std::uint64_t receipt;
    std::size_t envelope;
  };

  bool Arrived() const;
  Delivery Give(std::size_t envelope);

  FaultyTransport* const transport_;
  Simulation* const simulation_;
  std::deque<std::string> current_;  // given since the last Receive
  std::deque<std::string> former_;   // before it, overwritten
  std::deque<Given> given_;          // not acknowledged
  std::uint64_t receipts_ = 0;
  std::uint64_t dropped_ = 0;
  bool failed_ = false;
  bool draining_ = false;
  std::size_t drains_to_ = 0;  // of what was fed
  bool twice_ = false;         // the last one comes again
};

}  // namespace kps::faults
