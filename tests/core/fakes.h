// A plugin, a transport and a logger in memory, with errors on demand. The World outlives the runtime under test.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/core/clock.h"
#include "host/core/envelope.h"
#include "host/core/logger.h"
#include "host/core/plugin.h"
#include "host/core/transport.h"

namespace kps::test {

// What the test scripts and what it sees. Fields under `mutex`: use Do.
struct World {
  std::mutex mutex;
  std::condition_variable changed;

  std::deque<Error> create_errors;   // one for each CreateConsumer/CreateProducer, then success
  std::vector<std::string> created;  // "id@position" of consumers, "id" of producers
  std::deque<std::string> source;    // what consumers read
  std::vector<std::uint64_t> acks;
  std::vector<std::string> produced;
  std::string refused;         // payload the producer can never take
  bool producer_busy = false;  // the producer takes nothing: UNAVAILABLE

  std::vector<std::pair<std::string, std::string>> published;  // channel, payload
  bool confirming = true;
  int abort_waits = 0;  // so many AwaitConfirmed answer ABORTED
  std::map<std::string, std::deque<std::string>> inbox;  // channel -> envelopes
  int subscribes = 0;
  std::vector<std::string> log;

  template <typename Function>
  auto Do(Function function) {
    const std::lock_guard<std::mutex> lock(mutex);
    changed.notify_all();
    return function();
  }
  void Send(const std::string& channel, const std::string& payload) {
    Do([&] { AppendEnvelope({payload, 1}, &inbox[channel].emplace_back()); });
  }
};

class FakeWaker : public Waker {
 public:
  explicit FakeWaker(World* world) : world_(world) {}
  void Wake() override { world_->Do([&] { woken = true; }); }
  bool woken = false;

 private:
  World* const world_;
};

// Positions and tokens are the number of messages this consumer has read.
class FakeConsumer : public Consumer {
 public:
  FakeConsumer(World* world, FakeWaker* waker) : world_(world), waker_(waker) {}
  Result<Batch> NextBatch(const BatchLimits&, std::chrono::milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(world_->mutex);
    world_->changed.wait_for(lock, timeout, [&] { return waker_->woken || !world_->source.empty(); });
    if (waker_->woken || world_->source.empty()) return Batch{};
    payload_ = world_->source.front();
    world_->source.pop_front();
    position_ = std::to_string(++read_);
    message_ = {payload_, 0};
    return Batch{{&message_, 1}, position_, read_};
  }
  Error Ack(std::uint64_t token) override {
    world_->Do([&] { world_->acks.push_back(token); });
    return {};
  }

 private:
  World* const world_;
  FakeWaker* const waker_;
  std::uint64_t read_ = 0;
  std::string payload_;
  std::string position_;
  MessageView message_;
};

class FakeProducer : public Producer {
 public:
  explicit FakeProducer(World* world) : world_(world) {}
  Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds, std::size_t* taken) override {
    return world_->Do([&] {
      *taken = 0;
      if (world_->producer_busy) return Error(Code::kUnavailable, "busy");
      for (const MessageView& message : messages) {
        if (message.payload == world_->refused) return Error(Code::kInvalidArgument, "never");
        world_->produced.emplace_back(message.payload);
        ++*taken;
      }
      return Error();
    });
  }
  Error Flush(std::chrono::milliseconds) override { return {}; }

 private:
  World* const world_;
};

class FakeConnector : public Connector {
 public:
  explicit FakeConnector(World* world) : world_(world) {}
  Result<ConfigureOutcome> Configure(const std::string&) override { return ConfigureOutcome::kApplied; }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view position,
                                                   Waker* waker) override {
    if (Error error = Create(stream.id + '@' + std::string(position)); !error.ok()) return error;
    return std::unique_ptr<Consumer>(std::make_unique<FakeConsumer>(world_, static_cast<FakeWaker*>(waker)));
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker*) override {
    if (Error error = Create(stream.id); !error.ok()) return error;
    return std::unique_ptr<Producer>(std::make_unique<FakeProducer>(world_));
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string&) override {
    return std::unique_ptr<Waker>(std::make_unique<FakeWaker>(world_));
  }

 private:
  Error Create(const std::string& what) {
    return world_->Do([&] {
      world_->created.push_back(what);
      if (world_->create_errors.empty()) return Error();
      Error error = world_->create_errors.front();
      world_->create_errors.pop_front();
      return error;
    });
  }
  World* const world_;
};

class FakePlugin : public Plugin {
 public:
  explicit FakePlugin(World* world) : world_(world) {
    descriptor_.name = "fake";
    descriptor_.ingress = descriptor_.egress = true;
  }
  const PluginDescriptor& descriptor() const override { return descriptor_; }
  Result<std::unique_ptr<Connector>> CreateConnector(const std::string&, const std::string&, HostServices*) override {
    return std::unique_ptr<Connector>(std::make_unique<FakeConnector>(world_));
  }

 private:
  World* const world_;
  PluginDescriptor descriptor_;
};

class FakePublisher : public Publisher {
 public:
  FakePublisher(World* world, std::string channel) : world_(world), channel_(std::move(channel)) {}
  Result<std::uint64_t> Publish(std::string_view envelope) override {
    std::vector<MessageView> messages;
    if (Error error = DecodeEnvelope(envelope, &messages); !error.ok()) return error;
    return world_->Do([&] {
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
    auto& inbox = world_->inbox[channel_];
    world_->changed.wait_for(lock, timeout, [&] { return draining_ || !inbox.empty(); });
    if (inbox.empty()) return Error(draining_ ? Code::kCancelled : Code::kDeadlineExceeded, "none");
    current_ = inbox.front();
    inbox.pop_front();
    return Delivery{current_};
  }
  void Drain() override { world_->Do([&] { draining_ = true; }); }
  std::uint64_t Dropped() const override { return 0; }

 private:
  World* const world_;
  const std::string channel_;
  bool draining_ = false;
  std::string current_;
};

class FakeTransport : public Transport {
 public:
  explicit FakeTransport(World* world) : world_(world) {}
  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    return std::unique_ptr<Publisher>(std::make_unique<FakePublisher>(world_, channel));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel) override {
    world_->Do([&] { ++world_->subscribes; });
    return std::unique_ptr<Subscription>(std::make_unique<FakeSubscription>(world_, channel));
  }
  bool Connected() const override { return true; }
  std::string DisconnectReason() const override { return {}; }
  void WatchConnection(std::function<void(bool)> watcher) override {
    if (watcher) watcher(true);
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  World* const world_;
};

class FakeLogger : public Logger {
 public:
  explicit FakeLogger(World* world) : world_(world) {}
  void Log(LogLevel, std::string_view stream_id, std::string_view text) override {
    world_->Do([&] { world_->log.push_back(std::string(stream_id) + ": " + std::string(text)); });
  }

 private:
  World* const world_;
};

class FakeClock : public Clock {
 public:
  std::int64_t NowNs() const override { return 1790000000000000000; }
};

}  // namespace kps::test
