// Once warm, a message costs no allocation in core: those of the stream's thread are counted, over a plugin and a
// transport that have none.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/core/envelope.h"
#include "host/core/stream_runner.h"
#include "tests/core/world.h"
#include "tests/support/allocation_count.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

constexpr int kWarm = 2000;  // calls; the rings are full by then
constexpr int kCounted = 2000;

// Allocations of the calling thread between two of the calls that it hears of.
class Meter {
 public:
  void Call() {
    const int call = ++calls_;
    if (call == kWarm) before_ = AllocationCount();
    if (call == kWarm + kCounted) allocations_ = static_cast<std::int64_t>(AllocationCount() - before_);
  }
  bool done() const { return allocations_ >= 0; }
  std::int64_t allocations() const { return allocations_; }

 private:
  int calls_ = 0;
  std::size_t before_ = 0;
  std::atomic<std::int64_t> allocations_{-1};
};

class Source : public Consumer {
 public:
  explicit Source(Meter* meter) : meter_(meter), payload_(100, 'x') {
    for (std::size_t i = 0; i < 64; ++i) messages_.push_back({payload_, 0, i % 2 == 0 ? "an id" : ""});
  }
  Result<Batch> NextBatch(const BatchLimits&, std::chrono::milliseconds) override {
    meter_->Call();
    return Batch{messages_, "a position that does not fit in a short string", ++token_};
  }
  Error Ack(std::uint64_t) override { return {}; }

 private:
  Meter* const meter_;
  const std::string payload_;
  std::vector<MessageView> messages_;
  std::uint64_t token_ = 0;
};

class Sink : public Producer {
 public:
  Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds, std::size_t* taken) override {
    *taken = messages.size();
    return {};
  }
  Error Flush(std::chrono::milliseconds) override { return {}; }
};

class PromptPublisher : public Publisher {
 public:
  Result<std::uint64_t> Publish(const Outgoing&) override { return ++ticket_; }
  // Some are always on their way.
  std::uint64_t Confirmed() const override { return ticket_ < 1000 ? 0 : ticket_ - 1000; }
  Error AwaitConfirmed(std::uint64_t, std::chrono::milliseconds) override { return {}; }

 private:
  std::uint64_t ticket_ = 0;
};

class EndlessSubscription : public Subscription {
 public:
  explicit EndlessSubscription(Meter* meter) : meter_(meter) {
    for (int i = 0; i < 3; ++i) AppendPayload("a payload", &envelope_);
  }
  Result<Delivery> Receive(std::chrono::milliseconds) override {
    meter_->Call();
    if (drained_) return Error(Code::kCancelled, "drained");
    return Delivery{envelope_, ++receipt_};
  }
  void Acknowledge(std::uint64_t) override {}
  bool Return() override { return false; }
  void Drain() override { drained_ = true; }
  std::uint64_t Dropped() const override { return 0; }

 private:
  Meter* const meter_;
  std::string envelope_;
  std::uint64_t receipt_ = 0;
  std::atomic<bool> drained_{false};
};

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(Meter* meter) : meter_(meter) {}
  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string&) override {
    return std::unique_ptr<Publisher>(std::make_unique<PromptPublisher>());
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string&, const std::string&) override {
    return std::unique_ptr<Subscription>(std::make_unique<EndlessSubscription>(meter_));
  }
  bool Connected() const override { return true; }
  std::string DisconnectReason() const override { return ""; }
  void WatchConnection(std::function<void(bool)>) override {}
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  Meter* const meter_;
};

class PlainConnector : public Connector {
 public:
  explicit PlainConnector(Meter* meter) : meter_(meter) {}
  Result<ConfigureOutcome> Configure(const std::string&) override { return ConfigureOutcome::kApplied; }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec&, std::string_view, Waker*) override {
    return std::unique_ptr<Consumer>(std::make_unique<Source>(meter_));
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec&, Waker*) override {
    return std::unique_ptr<Producer>(std::make_unique<Sink>());
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string&) override {
    class NoWaker : public Waker {
      void Wake() override {}
      void Rest() override {}
    };
    return std::unique_ptr<Waker>(std::make_unique<NoWaker>());
  }

 private:
  Meter* const meter_;
};

class Allocation : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Of, Allocation, testing::Values("INGRESS", "EGRESS"),
                         [](const auto& info) { return info.param; });

TEST_P(Allocation, AWarmStreamHasNoneForAMessage) {
  Meter meter;
  World world;
  FakeLogger logger(&world);
  FakeClock clock;
  EventStore events(&clock);
  Ledgers ledgers;
  PluginCalls calls;
  EndingThreads ending;
  PlainTransport transport(&meter);
  const bool ingress = GetParam() == std::string("INGRESS");
  const StreamSpec stream{"s", ingress ? Direction::kIngress : Direction::kEgress, "c", "{}"};
  auto runner = StreamRunner::Create(stream, {.transport = &transport,
                                              .events = &events,
                                              .logger = &logger,
                                              .clock = &clock,
                                              .ledgers = &ledgers,
                                              .calls = &calls,
                                              .ending = &ending,
                                              .window = {.envelope_messages_max = 4},
                                              .drain_timeout = std::chrono::milliseconds(10)});
  ASSERT_TRUE(runner.ok());
  runner.value()->Launch(std::make_shared<PlainConnector>(&meter), nullptr);
  ASSERT_TRUE(Eventually([&] { return meter.done(); }));
  EXPECT_EQ(meter.allocations(), 0);
  runner.value()->RequestStop(StopMode::kHandOver);
  runner.value()->Join();
}

}  // namespace
}  // namespace kps::test
