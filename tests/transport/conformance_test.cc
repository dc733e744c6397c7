// What every transport does, run against each.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "host/transport/memory_transport.h"
#include "tests/support/nats_server.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class TransportTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      transport_ = MakeMemoryTransport({});
    } else {
      NatsOptions options{server_.emplace(keeps() ? JetStreamConfig() : "").url(), "test"};
      if (keeps()) options.jetstream.emplace();
      transport_ = ConnectTo(std::move(options), &logger_);
    }
  }
  // JetStream: what is confirmed is kept for the subscriptions, and arrives a moment later.
  bool keeps() const { return GetParam() == std::string("jetstream"); }
  // The next envelope, without waiting for it where it has arrived already.
  std::string TakeArrived(Subscription* subscription) {
    return std::string(Must(subscription->Receive(keeps() ? kDeadline : milliseconds(0))).envelope);
  }
  std::unique_ptr<Publisher> Open(const std::string& channel) { return Must(transport_->OpenPublisher(channel)); }
  // Of another subscriber each time, unless it is named.
  std::unique_ptr<Subscription> Subscribe(const std::string& channel, const std::string& name = "") {
    return Must(transport_->Subscribe(channel, name.empty() ? "s" + std::to_string(++subscribers_) : name));
  }
  // Published, confirmed, and so arrived at the subscriptions of the same transport.
  void PublishConfirmed(Publisher* publisher, const std::string& envelope) {
    const std::uint64_t ticket = Must(publisher->Publish(envelope));
    ASSERT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
  }

  RecordingLogger logger_;
  std::optional<NatsServer> server_;
  std::unique_ptr<Transport> transport_;
  std::atomic<int> subscribers_{0};
};

INSTANTIATE_TEST_SUITE_P(Each, TransportTest, testing::Values("memory", "nats", "jetstream"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(TransportTest, EnvelopesArriveInOrderAndAreConfirmed) {
  auto subscription = Subscribe("a.b");
  auto publisher = Open("a.b");
  for (std::uint64_t i = 1; i <= 2000; ++i) EXPECT_EQ(Must(publisher->Publish(std::to_string(i))), i);
  EXPECT_TRUE(publisher->AwaitConfirmed(2000, kDeadline).ok());
  EXPECT_EQ(publisher->Confirmed(), 2000u);
  for (int i = 1; i <= 2000; ++i) ASSERT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(subscription->Dropped(), 0u);
}

TEST_P(TransportTest, ATicketThatWasNeverGivenIsNotConfirmed) {
  auto publisher = Open("a");
  EXPECT_EQ(publisher->Confirmed(), 0u);
  EXPECT_EQ(publisher->AwaitConfirmed(1, milliseconds(10)).code(), Code::kDeadlineExceeded);
}

TEST_P(TransportTest, WithoutSubscribersAnEnvelopeIsAcceptedAndConfirmed) { PublishConfirmed(Open("a").get(), "x"); }

TEST_P(TransportTest, ReceiveEndsInTimeWhenNothingComes) {
  auto subscription = Subscribe("a");
  EXPECT_EQ(subscription->Receive(milliseconds(0)).error().code(), Code::kDeadlineExceeded);
  const auto start = steady_clock::now();
  EXPECT_EQ(subscription->Receive(milliseconds(120)).error().code(), Code::kDeadlineExceeded);
  EXPECT_GE(steady_clock::now() - start, milliseconds(119));
}

TEST_P(TransportTest, ReceiveWithoutWaitingTakesWhatIsThere) {
  auto subscription = Subscribe("a");
  PublishConfirmed(Open("a").get(), "x");
  EXPECT_EQ(TakeArrived(subscription.get()), "x");
}

TEST_P(TransportTest, EverySubscriberGetsEveryEnvelope) {
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int i = 0; i < 3; ++i) subscriptions.push_back(Subscribe("a"));
  auto publisher = Open("a");
  for (int i = 0; i < 10; ++i) Must(publisher->Publish(std::to_string(i)));
  for (const auto& subscription : subscriptions) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  }
}

TEST_P(TransportTest, WildcardsAreThoseOfNats) {
  if (keeps()) GTEST_SKIP() << "one stream must hold all that a wildcard means: jetstream_subscribe_test.cc";
  const struct {
    std::string pattern, channel;
    bool matches;
  } cases[] = {
      {"a.b", "a.b", true},    {"a.b", "a.c", false}, {"a.b", "a.b.c", false},  {"a.b.c", "a.b", false},
      {"*", "a", true},        {"*", "a.b", false},   {"a.*", "a.b", true},     {"a.*", "a", false},
      {"a.*", "a.b.c", false}, {"*.b", "a.b", true},  {"a.*.c", "a.b.c", true}, {"a.*.c", "a.b.d", false},
      {">", "a", true},        {">", "a.b.c", true},  {"a.>", "a.b", true},     {"a.>", "a.b.c", true},
      {"a.>", "a", false},     {"a.>", "b.c", false}, {"*.>", "a.b", true},     {"*.>", "a", false},
      {"a", "ab", false},      {"ab", "a", false},    {"a*", "ab", false},
  };
  for (const auto& each : cases) {
    auto subscription = Subscribe(each.pattern);
    PublishConfirmed(Open(each.channel).get(), "x");
    EXPECT_EQ(subscription->Receive(milliseconds(0)).ok(), each.matches) << each.pattern << " and " << each.channel;
  }
}

TEST_P(TransportTest, EmptyAndLargeEnvelopesArriveWhole) {
  auto subscription = Subscribe("a");
  auto publisher = Open("a");
  std::string large(1024 * 1024, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 + i / 251);
  const std::string envelopes[] = {"", large, std::string("\0\r\n", 3), ""};
  for (const std::string& envelope : envelopes) Must(publisher->Publish(envelope));
  for (const std::string& envelope : envelopes) EXPECT_TRUE(MustReceive(subscription.get()) == envelope);
}

TEST_P(TransportTest, AnEnvelopeStaysValidUntilTheNextReceive) {
  auto subscription = Subscribe("a");
  auto publisher = Open("a");
  PublishConfirmed(publisher.get(), std::string(1000, 'a'));
  const Delivery delivery = Must(subscription->Receive(kDeadline));
  for (int i = 0; i < 100; ++i) PublishConfirmed(publisher.get(), std::string(1000, 'b'));
  EXPECT_EQ(delivery.envelope, std::string(1000, 'a'));
}

TEST_P(TransportTest, WhatHasComeIsGivenWithoutWaitingAndStaysValidTogether) {
  auto subscription = Subscribe("a");
  auto publisher = Open("a");
  EXPECT_FALSE(subscription->ReceiveMore()) << "nothing was published";
  const auto envelope = [](int i) { return std::string(1000, static_cast<char>('a' + i)); };
  for (int i = 0; i < 20; ++i) PublishConfirmed(publisher.get(), envelope(i));
  std::vector<Delivery> given{Must(subscription->Receive(kDeadline))};
  ASSERT_TRUE(Eventually([&] {
    while (const auto more = subscription->ReceiveMore()) given.push_back(*more);
    return given.size() == 20;
  })) << given.size();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(given[static_cast<std::size_t>(i)].envelope, envelope(i));
  if (keeps()) {
    EXPECT_EQ(given.back().receipt, 20u);
  }
  EXPECT_FALSE(subscription->ReceiveMore());
  PublishConfirmed(publisher.get(), "later");
  EXPECT_EQ(MustReceive(subscription.get()), "later");
  subscription->Drain();
  EXPECT_FALSE(subscription->ReceiveMore());
}

TEST_P(TransportTest, ADrainReturnsWhatHadArrivedAndThenEnds) {
  auto subscription = Subscribe("a", "s");
  auto publisher = Open("a");
  for (int i = 0; i < 100; ++i) PublishConfirmed(publisher.get(), std::to_string(i));
  subscription->Drain();
  subscription->Drain();
  Code end = Code::kOk;
  std::size_t received = ReceiveAll(subscription.get(), kDeadline, &end).size();
  EXPECT_EQ(end, Code::kCancelled);
  if (keeps()) {  // what had not arrived is for the next
    subscription->Acknowledge(received);
    subscription.reset();
    subscription = Subscribe("a", "s");
    while (received < 100) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(received++));
    subscription->Drain();
    EXPECT_EQ(subscription->Receive(kDeadline).error().code(), Code::kCancelled);
  }
  EXPECT_EQ(received, 100u);
  PublishConfirmed(publisher.get(), "late");
  EXPECT_EQ(subscription->Receive(milliseconds(0)).error().code(), Code::kCancelled);
}

TEST_P(TransportTest, ADrainEndsAlsoForACallerThatNeverWaits) {
  auto subscription = Subscribe("a");
  PublishConfirmed(Open("a").get(), "x");
  if (keeps()) {
    MustReceive(subscription.get());  // so it has arrived
    subscription->Return();
  }
  subscription->Drain();
  EXPECT_EQ(MustReceive(subscription.get()), "x");
  EXPECT_TRUE(Eventually([&] { return subscription->Receive(milliseconds(0)).error().code() == Code::kCancelled; },
                         milliseconds(3000)));
}

TEST_P(TransportTest, ADrainWakesAReceiveThatWaits) {
  auto subscription = Subscribe("a");
  Code end = Code::kOk;
  const auto start = steady_clock::now();
  std::thread receiver([&] { end = subscription->Receive(kDeadline).error().code(); });
  subscription->Drain();
  receiver.join();
  EXPECT_EQ(end, Code::kCancelled);
  EXPECT_LT(steady_clock::now() - start, kDeadline / 2);
}

TEST_P(TransportTest, ADrainLeavesOtherSubscriptionsAlone) {
  auto drained = Subscribe("a");
  auto other = Subscribe("a");
  drained->Drain();
  PublishConfirmed(Open("a").get(), "x");
  EXPECT_EQ(MustReceive(other.get()), "x");
}

TEST_P(TransportTest, StreamsRunSideBySideAndDoNotMix) {
  constexpr int kStreams = 4;
  constexpr int kEnvelopes = 3000;
  std::vector<std::thread> threads;
  for (int stream = 0; stream < kStreams; ++stream) {
    const std::string channel = "s." + std::to_string(stream);
    auto subscription = std::make_shared<std::unique_ptr<Subscription>>(Subscribe(channel));
    threads.emplace_back([subscription, stream] {
      for (int i = 0; i < kEnvelopes; ++i) {
        ASSERT_EQ(MustReceive(subscription->get()), std::to_string(stream) + "/" + std::to_string(i));
      }
    });
    threads.emplace_back([this, channel, stream] {
      auto publisher = Open(channel);
      std::uint64_t ticket = 0;
      for (int i = 0; i < kEnvelopes; ++i)
        ticket = Must(publisher->Publish(std::to_string(stream) + "/" + std::to_string(i)));
      EXPECT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(TransportTest, StreamsComeAndGoWhileOthersRun) {
  auto subscription = Subscribe("a");
  auto publisher = Open("a");
  std::thread churn([&] {
    for (int i = 0; i < 200; ++i) {
      auto passing = Subscribe(i % 2 == 0 ? "a" : keeps() ? "b.c" : "b.*");
      auto passing_publisher = Open("b.c");
      Must(passing_publisher->Publish("x"));
    }
  });
  for (int i = 0; i < 2000; ++i) {
    PublishConfirmed(publisher.get(), std::to_string(i));
    ASSERT_EQ(MustReceive(subscription.get()), std::to_string(i));
  }
  churn.join();
}

TEST_P(TransportTest, WhatIsReturnedComesAgainInOrderWhereTheTransportKeepsIt) {
  auto subscription = Subscribe("a");
  auto publisher = Open("a");
  for (int i = 1; i <= 5; ++i) PublishConfirmed(publisher.get(), std::to_string(i));
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  subscription->Acknowledge(keeps() ? 1 : 0);
  EXPECT_EQ(subscription->Return(), keeps());
  for (int i = keeps() ? 2 : 4; i <= 5; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
}

}  // namespace
}  // namespace kps::test
