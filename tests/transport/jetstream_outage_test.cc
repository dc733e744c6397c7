// JetStream while its server dies and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class JetStreamOutageTest : public testing::Test {
 protected:
  void Connect() {
    NatsOptions options{server_.url(), "test"};
    options.jetstream.emplace();
    transport_ = ConnectTo(std::move(options), &logger_);
  }
  void Restart() {
    server_.Stop();
    ASSERT_TRUE(Eventually([&] { return !transport_->Connected(); }));
    server_.Start();
    ASSERT_TRUE(Eventually([&] { return transport_->Connected(); }));
  }
  void PublishNumbers(int from, int to) {
    auto publisher = Must(transport_->OpenPublisher("a"));
    std::uint64_t ticket = 0;
    for (int i = from; i <= to; ++i) ticket = Must(publisher->Publish(std::to_string(i)));
    ASSERT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
  }

  NatsServer server_{JetStreamConfig()};
  RecordingLogger logger_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(JetStreamOutageTest, WhatWasOpenedBeforeTheServerCameWorksOnceItIsThere) {
  server_.Stop();
  NatsOptions options{server_.url(), "test"};
  options.jetstream.emplace();
  transport_ = Must(MakeNatsTransport(std::move(options), &logger_));
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  EXPECT_EQ(publisher->Publish("lost").error().code(), Code::kUnavailable);
  EXPECT_EQ(subscription->Receive(milliseconds(0)).error().code(), Code::kDeadlineExceeded);
  server_.Start();
  ASSERT_TRUE(Eventually([&] { return transport_->Connected(); }));
  EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("x")), kDeadline).ok());
  EXPECT_EQ(MustReceive(subscription.get()), "x");
}

TEST_F(JetStreamOutageTest, WhatIsInHandIsNotDoubledByAReconnectAndIsAcknowledgedOnTheNextLink) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  PublishNumbers(1, 10);
  for (int i = 1; i <= 7; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  subscription->Acknowledge(2);
  Restart();
  subscription->Acknowledge(5);
  PublishNumbers(11, 12);
  for (int i = 8; i <= 12; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  subscription->Acknowledge(12 - 2);
  RawNats raw(server_.url());
  EXPECT_TRUE(Eventually(
      [&] { return raw.Call("CONSUMER.INFO.kps-a.+s+a").find("\"num_ack_pending\":2,") != std::string::npos; }));
  subscription.reset();
  subscription = Must(transport_->Subscribe("a", "s"));
  for (int i = 11; i <= 12; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(subscription->Receive(milliseconds(200)).error().code(), Code::kDeadlineExceeded);
}

TEST_F(JetStreamOutageTest, WhatIsInHandIsReturnedWithoutAServer) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  PublishNumbers(1, 3);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  server_.Stop();
  EXPECT_TRUE(subscription->Return());
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
}

TEST_F(JetStreamOutageTest, ASubscriptionThatCouldNotBeBoundGoesOnWhereItWasOnceItCan) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  PublishNumbers(1, 10);
  for (int i = 1; i <= 8; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  server_.Configure("");
  Restart();  // without JetStream
  for (int i = 9; i <= 10; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  for (int i = 0; i < 3; ++i) {
    const Error error = subscription->Receive(kDeadline).error();
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_TRUE(error.transient());
    EXPECT_THAT(error.message(), testing::HasSubstr("it is not enabled on this NATS server"));
  }
  subscription->Acknowledge(6);
  EXPECT_TRUE(subscription->Return());
  for (int i = 7; i <= 10; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  server_.Configure(JetStreamConfig());
  Restart();
  PublishNumbers(11, 12);
  for (int i = 11; i <= 12; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(subscription->Receive(milliseconds(200)).error().code(), Code::kDeadlineExceeded);
  subscription->Acknowledge(10 + 4 + 2);
  RawNats raw(server_.url());
  EXPECT_TRUE(Eventually(
      [&] { return raw.Call("CONSUMER.INFO.kps-a.+s+a").find("\"num_ack_pending\":0,") != std::string::npos; }));
}

TEST_F(JetStreamOutageTest, WithMemoryStorageTheStreamIsMadeAgain) {
  NatsOptions options{server_.url(), "test"};
  options.jetstream.emplace().memory_storage = true;
  transport_ = ConnectTo(std::move(options), &logger_);
  auto subscription = Must(transport_->Subscribe("a", "s"));
  PublishNumbers(1, 3);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  subscription->Acknowledge(3);
  Restart();
  PublishNumbers(4, 6);
  for (int i = 4; i <= 6; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
}

TEST_F(JetStreamOutageTest, AHangOfTheServerLosesNothingAndDoublesNothing) {
  NatsOptions options{server_.url(), "test"};
  options.jetstream.emplace().ack_wait = milliseconds(1000);  // what goes to the former connection comes after it
  transport_ = ConnectTo(std::move(options), &logger_);
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  Must(publisher->Publish({.envelope = "1", .message_id = "1"}));
  EXPECT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
  server_.Pause();
  Must(publisher->Publish({.envelope = "2", .message_id = "2"}));
  EXPECT_EQ(publisher->AwaitConfirmed(2, kDeadline).code(), Code::kAborted);
  EXPECT_EQ(publisher->Confirmed(), 1u);
  server_.Resume();
  EXPECT_TRUE(Eventually([&] {
    const auto ticket = publisher->Publish({.envelope = "2", .message_id = "2"});
    return ticket.ok() && publisher->AwaitConfirmed(ticket.value(), milliseconds(2000)).ok();
  }));
  EXPECT_EQ(MustReceive(subscription.get()), "1");
  EXPECT_EQ(MustReceive(subscription.get()), "2");
  EXPECT_EQ(subscription->Receive(milliseconds(1500)).error().code(), Code::kDeadlineExceeded);
}

// Publishes 1 .. `count` with ids as an ingress stream does, with a window of 500. Returns whether all were confirmed.
bool PublishAll(Publisher* publisher, int count, std::atomic<int>* confirmed, steady_clock::time_point deadline) {
  std::deque<std::uint64_t> tickets;  // of confirmed + 1, confirmed + 2, ...
  while (*confirmed < count && steady_clock::now() < deadline) {
    const std::uint64_t safe = publisher->Confirmed();
    for (; !tickets.empty() && tickets.front() <= safe; ++*confirmed) tickets.pop_front();
    const int next = *confirmed + static_cast<int>(tickets.size()) + 1;
    Error error;
    if (tickets.size() < 500 && next <= count) {
      const std::string text = std::to_string(next);
      const auto ticket = publisher->Publish({.envelope = text, .message_id = text});
      if (ticket.ok()) tickets.push_back(ticket.value());
      if (!ticket.ok()) error = ticket.error();
    } else if (!tickets.empty()) {
      error = publisher->AwaitConfirmed(tickets.front(), milliseconds(20));
    }
    if (error.code() == Code::kUnavailable) {
      error = publisher->AwaitConfirmed(publisher->Confirmed() + 1, milliseconds(0));
      std::this_thread::sleep_for(milliseconds(5));
    }
    if (error.code() == Code::kAborted) {
      const std::uint64_t last = publisher->Confirmed();
      for (; !tickets.empty() && tickets.front() <= last; ++*confirmed) tickets.pop_front();
      tickets.clear();
    }
  }
  return *confirmed == count;
}

TEST_F(JetStreamOutageTest, RestartsUnderLoadLoseNothingDoubleNothingAndKeepTheOrder) {
  constexpr int kCount = 60'000;
  constexpr int kRestarts = 5;
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  const auto deadline = steady_clock::now() + milliseconds(60'000);
  std::atomic<int> confirmed{0};
  std::atomic<bool> all_confirmed{false};
  std::thread caller([&] { all_confirmed = PublishAll(publisher.get(), kCount, &confirmed, deadline); });
  std::atomic<int> seen{0};
  std::vector<int> wrong;  // what came out of its turn
  std::thread receiver([&] {
    while (seen < kCount && steady_clock::now() < deadline) {
      const auto delivery = subscription->Receive(milliseconds(100));
      if (!delivery.ok()) continue;
      const int number = std::stoi(std::string(delivery.value().envelope));
      if (number == seen + 1) {
        ++seen;
      } else {
        wrong.push_back(number);
      }
      if (delivery.value().receipt % 100 == 0 || seen == kCount) subscription->Acknowledge(delivery.value().receipt);
    }
  });
  for (int i = 0; i < kRestarts; ++i) {
    const int before = confirmed;
    EXPECT_TRUE(Eventually([&] { return confirmed > before + 3000 || confirmed == kCount; }));
    server_.Stop();
    server_.Start();
  }
  caller.join();
  receiver.join();
  EXPECT_TRUE(all_confirmed) << confirmed;
  EXPECT_EQ(seen, kCount);
  EXPECT_THAT(wrong, testing::IsEmpty());
}

}  // namespace
}  // namespace kps::test
