// A transport whose every answer is scripted in the World.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/core/transport.h"
#include "tests/core/world.h"

namespace kps::test {

class FakePublisher : public Publisher {
 public:
  FakePublisher(World* world, std::string channel) : world_(world), channel_(std::move(channel)) {}
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    std::vector<MessageView> messages;
    const bool is_envelope = DecodeEnvelope(outgoing.envelope, &messages).ok();
    return world_->Do([&]() -> Result<std::uint64_t> {
      if (Error error = Next(&world_->publish_errors); !error.ok()) return error;
      if (!is_envelope) world_->raw_published.emplace_back(outgoing.envelope);
      for (const Header& header : outgoing.headers) {
        world_->headers.push_back(std::string(header.name) + ": " + std::string(header.value));
      }
      for (const auto& message : messages) world_->published.emplace_back(channel_, message.payload);
      return ++ticket_;
    });
  }
  std::uint64_t Confirmed() const override {
    return world_->Do([&] { return confirmed_ = world_->confirming ? ticket_ : confirmed_; });
  }
  Error AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(world_->mutex);
    if (world_->abort_waits > 0) {
      --world_->abort_waits;
      world_->confirming = world_->confirming || world_->confirm_at_abort;
      return Error(Code::kAborted, "connection lost");
    }
    const bool in_time = world_->changed.wait_for(lock, timeout, [&] { return world_->confirming; });
    return in_time && ticket <= ticket_ ? Error() : Error(Code::kDeadlineExceeded, "not yet");
  }

 private:
  World* const world_;
  const std::string channel_;
  std::uint64_t ticket_ = 0;
  mutable std::uint64_t confirmed_ = 0;
};

class FakeSubscription : public Subscription {
 public:
  FakeSubscription(World* world, std::string channel) : world_(world), channel_(std::move(channel)) {}
  Result<Delivery> Receive(std::chrono::milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(world_->mutex);
    if (Error error = Next(&world_->receive_errors); !error.ok()) return error;
    auto& inbox = world_->inbox[channel_];
    world_->changed.wait_for(lock, timeout, [&] { return draining_ || !inbox.empty(); });
    if (inbox.empty()) return Error(draining_ ? Code::kCancelled : Code::kDeadlineExceeded, "none");
    given_.clear();
    return Give(&inbox);
  }
  std::optional<Delivery> ReceiveMore() override {
    const std::lock_guard<std::mutex> lock(world_->mutex);
    auto& inbox = world_->inbox[channel_];
    if (inbox.empty()) return std::nullopt;
    return Give(&inbox);
  }
  void Acknowledge(std::uint64_t receipt) override {
    world_->Do([&] { world_->receipts.push_back(receipt); });
    while (!unacknowledged_.empty() && unacknowledged_.front().first <= receipt) unacknowledged_.pop_front();
  }
  bool Return() override {
    return world_->Do([&] {
      if (!world_->keeping) return false;
      auto& inbox = world_->inbox[channel_];
      for (; !unacknowledged_.empty(); unacknowledged_.pop_back()) inbox.push_front(unacknowledged_.back().second);
      return true;
    });
  }
  void Drain() override {
    world_->Do([&] { draining_ = true; });
  }
  std::uint64_t Dropped() const override {
    return world_->Do([&] { return world_->dropped; });
  }

 private:
  Delivery Give(std::deque<std::string>* inbox) {
    given_.push_back(std::move(inbox->front()));
    inbox->pop_front();
    unacknowledged_.emplace_back(++receipt_, given_.back());
    return Delivery{given_.back(), receipt_};
  }

  World* const world_;
  const std::string channel_;
  bool draining_ = false;
  std::deque<std::string> given_;  // since the last Receive
  std::uint64_t receipt_ = 0;
  std::deque<std::pair<std::uint64_t, std::string>> unacknowledged_;
};

class FakeTransport : public Transport {
 public:
  explicit FakeTransport(World* world) : world_(world) {}
  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    return std::unique_ptr<Publisher>(std::make_unique<FakePublisher>(world_, channel));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string&) override {
    Error error = world_->Do([&] {
      ++world_->subscribes;
      return Next(&world_->subscribe_errors);
    });
    if (!error.ok()) return error;
    return std::unique_ptr<Subscription>(std::make_unique<FakeSubscription>(world_, channel));
  }
  bool Connected() const override {
    return world_->Do([&] { return world_->connected; });
  }
  bool KeepsMessages() const override {
    return world_->Do([&] { return world_->keeping; });
  }
  std::string Durability(const std::string&) const override {
    return world_->Do([&] { return world_->durability; });
  }
  std::string DisconnectReason() const override { return Connected() ? "" : "unplugged"; }
  void WatchConnection(std::function<void(bool)> watcher) override {
    if (watcher) watcher(true);
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  World* const world_;
};

}  // namespace kps::test
