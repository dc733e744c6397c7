// The memory transport's own promises: bounded queues, and all subscribers or none.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/transport/memory_transport.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string Take(Subscription* subscription, milliseconds timeout = milliseconds(5000)) {
  const auto delivery = subscription->Receive(timeout);
  return delivery.ok() ? std::string(delivery.value().envelope) : "error: " + delivery.error().message();
}

std::size_t CountLeft(Subscription* subscription) {
  subscription->Drain();
  std::size_t count = 0;
  while (subscription->Receive(milliseconds(100)).ok()) ++count;
  return count;
}

MemoryTransportOptions Small(milliseconds wait = milliseconds(20)) { return {2, 1024, wait}; }

TEST(MemoryTransport, PublishWithoutSubscriberIsAccepted) {
  const auto transport = MakeMemoryTransport({});
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  EXPECT_EQ(publisher->Publish("a").value(), 1u);
  EXPECT_EQ(publisher->Confirmed(), 1u);
  EXPECT_TRUE(publisher->AwaitConfirmed(1, milliseconds(0)).ok());
  EXPECT_EQ(publisher->AwaitConfirmed(2, milliseconds(0)).code(), Code::kDeadlineExceeded);
}

TEST(MemoryTransport, FullQueueIsResourceExhaustedAndNamesTheChannel) {
  const auto transport = MakeMemoryTransport(Small());
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  ASSERT_TRUE(publisher->Publish("1").ok());
  ASSERT_TRUE(publisher->Publish("2").ok());
  const auto start = steady_clock::now();
  const auto refused = publisher->Publish("3");
  EXPECT_GE(steady_clock::now() - start, milliseconds(20)) << "it waits for room first";
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("channel c"), std::string::npos) << refused.error().message();
  EXPECT_EQ(publisher->Confirmed(), 2u);
  EXPECT_EQ(Take(subscription.get()), "1");
  EXPECT_EQ(publisher->Publish("3").value(), 3u);
  EXPECT_EQ(Take(subscription.get()), "2");
  EXPECT_EQ(Take(subscription.get()), "3");
}

TEST(MemoryTransport, QueueIsBoundedInBytes) {
  const auto transport = MakeMemoryTransport({100, 10, milliseconds(1)});
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  ASSERT_TRUE(publisher->Publish("123456").ok());
  EXPECT_EQ(publisher->Publish("12345").error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(publisher->Publish("1234").ok()) << "a refused one takes no room";
  EXPECT_EQ(CountLeft(subscription.get()), 2u);
}

TEST(MemoryTransport, EnvelopeLargerThanTheQueueFitsIntoAnEmptyOne) {
  const auto transport = MakeMemoryTransport({100, 10, milliseconds(1)});
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  const std::string large(100, 'x');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(publisher->Publish(large).ok());
    EXPECT_EQ(publisher->Publish("").error().code(), Code::kResourceExhausted);
    EXPECT_EQ(Take(subscription.get()), large);
  }
}

// In either order of subscribing: the full queue may be found first or last.
TEST(MemoryTransport, AllSubscribersOrNone) {
  for (const bool full_first : {true, false}) {
    const auto transport = MakeMemoryTransport(Small());
    const auto filler = std::move(transport->OpenPublisher("full.1").value());
    const auto publisher = std::move(transport->OpenPublisher("full.2").value());
    std::unique_ptr<Subscription> full, other;
    if (full_first) full = std::move(transport->Subscribe("full.*").value());
    other = std::move(transport->Subscribe("full.2").value());
    if (!full_first) full = std::move(transport->Subscribe("full.*").value());
    ASSERT_TRUE(filler->Publish("x").ok());
    ASSERT_TRUE(filler->Publish("y").ok());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(publisher->Publish("z").error().code(), Code::kResourceExhausted);
    EXPECT_EQ(Take(full.get()), "x");
    EXPECT_TRUE(publisher->Publish("z").ok()) << "what was refused keeps no room reserved";
    EXPECT_EQ(CountLeft(other.get()), 1u);
    EXPECT_EQ(CountLeft(full.get()), 2u);
  }
}

TEST(MemoryTransport, WaitingPublisherGoesOnWhenRoomComes) {
  const auto transport = MakeMemoryTransport(Small(milliseconds(30'000)));
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  ASSERT_TRUE(publisher->Publish("1").ok());
  ASSERT_TRUE(publisher->Publish("2").ok());
  const auto start = steady_clock::now();
  std::thread reader([&] {
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(Take(subscription.get()), "1");
  });
  EXPECT_TRUE(publisher->Publish("3").ok());
  reader.join();
  EXPECT_LT(steady_clock::now() - start, milliseconds(10'000));
}

TEST(MemoryTransport, WaitingPublisherGoesOnWhenTheSubscriberGoes) {
  const auto transport = MakeMemoryTransport(Small(milliseconds(30'000)));
  auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  ASSERT_TRUE(publisher->Publish("1").ok());
  ASSERT_TRUE(publisher->Publish("2").ok());
  const auto start = steady_clock::now();
  std::thread leaver([&] {
    std::this_thread::sleep_for(milliseconds(50));
    subscription.reset();
  });
  EXPECT_TRUE(publisher->Publish("3").ok());
  leaver.join();
  EXPECT_LT(steady_clock::now() - start, milliseconds(10'000));
}

// Subscribers come and go while several publishers are at work; the one that stays gets everything in order.
TEST(MemoryTransport, ChurnOfSubscribersLosesNothingForTheOneThatStays) {
  constexpr int kPublishers = 3;
  constexpr int kEach = 5000;
  const auto transport = MakeMemoryTransport({16, 1024, milliseconds(1000)});
  const auto stays = std::move(transport->Subscribe("p.*").value());
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      const auto publisher = std::move(transport->OpenPublisher("p." + std::to_string(p)).value());
      for (int i = 0; i < kEach;) {
        if (publisher->Publish(std::to_string(p) + ":" + std::to_string(i)).ok()) ++i;
      }
    });
  }
  std::atomic<bool> done{false};
  std::thread churn([&] {
    while (!done) {
      const auto guest = std::move(transport->Subscribe("p.>").value());
      (void)guest->Receive(milliseconds(1));
    }
  });
  std::vector<int> next(kPublishers, 0);
  for (int i = 0; i < kPublishers * kEach; ++i) {
    const std::string got = Take(stays.get());
    const int p = got[0] - '0';
    ASSERT_TRUE(p >= 0 && p < kPublishers) << got;
    ASSERT_EQ(got, std::to_string(p) + ":" + std::to_string(next[p]++));
  }
  done = true;
  churn.join();
  for (std::thread& publisher : publishers) publisher.join();
}

}  // namespace
}  // namespace kps
