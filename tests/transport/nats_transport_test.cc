// What only NATS does, while its server is well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(NatsTransportTest, ATooLargeEnvelopeIsRefusedWithBothSizes) {
  NatsServer server("max_payload: 1000");
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test"}, &logger);
  EXPECT_EQ(transport->EnvelopeBytesMax(), 1000u);
  auto publisher = Must(transport->OpenPublisher("a"));
  const auto refused = publisher->Publish(std::string(1001, 'x'));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), testing::AllOf(HasSubstr("1001"), HasSubstr("1000 ")));
  EXPECT_EQ(Must(publisher->Publish(std::string(1000, 'x'))), 1u);
}

TEST(NatsTransportTest, ASlowSubscriberLosesWhatIsCountedAndGoesOn) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({.url = server.url(), .client_name = "test", .pending_bytes_max = 10'000}, &logger);
  auto subscription = Must(transport->Subscribe("a", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  for (int i = 0; i < 1000; ++i) Must(publisher->Publish(std::string(100, 'x')));
  ASSERT_TRUE(publisher->AwaitConfirmed(1000, kDeadline).ok());
  Code end = Code::kOk;
  const std::size_t received = ReceiveAll(subscription.get(), milliseconds(0), &end).size();
  EXPECT_EQ(end, Code::kDeadlineExceeded);
  EXPECT_GT(received, 0u);
  EXPECT_GT(subscription->Dropped(), 0u);
  EXPECT_EQ(received + subscription->Dropped(), 1000u);
  Must(publisher->Publish("later"));
  EXPECT_EQ(MustReceive(subscription.get()), "later");
}

TEST(NatsTransportTest, ADrainKeepsWhatIsQueuedForASlowCaller) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test"}, &logger);
  auto subscription = Must(transport->Subscribe("a", "s"));
  auto idle = Must(transport->Subscribe("idle", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  for (int i = 0; i < 10; ++i) Must(publisher->Publish("x"));
  ASSERT_TRUE(publisher->AwaitConfirmed(10, kDeadline).ok());
  subscription->Drain();
  EXPECT_FALSE(idle->Receive(milliseconds(1500)).ok());  // the caller is busy for longer than a drain may take
  Code end = Code::kOk;
  EXPECT_EQ(ReceiveAll(subscription.get(), kDeadline, &end).size(), 10u);
  EXPECT_EQ(end, Code::kCancelled);
}

TEST(NatsTransportTest, WhatTheServerDoesNotPermitToPublishIsRefusedAndNeverConfirmed) {
  NatsServer server("authorization { users: [{user: u, password: secret, permissions: {publish: {deny: \"no\"}}}] }");
  RecordingLogger logger;
  auto transport = ConnectTo({"nats://u:secret@127.0.0.1:" + std::to_string(server.port()), "test"}, &logger);
  auto refused = Must(transport->OpenPublisher("no"));
  auto permitted = Must(transport->OpenPublisher("yes"));
  Must(refused->Publish("x"));
  Must(permitted->Publish("x"));
  EXPECT_TRUE(permitted->AwaitConfirmed(1, kDeadline).ok());
  EXPECT_EQ(refused->Confirmed(), 0u);
  EXPECT_EQ(refused->Publish("x").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(transport->Counters().publish_errors, 1u);
  EXPECT_TRUE(Eventually([&] { return logger.CountWith("Permissions Violation") == 1; }));
  EXPECT_EQ(logger.CountWith("secret"), 0u);
  // A second violation, on a connection that has had one.
  auto again = Must(transport->OpenPublisher("no"));
  Must(again->Publish("x"));
  Must(permitted->Publish("x"));
  EXPECT_TRUE(permitted->AwaitConfirmed(2, kDeadline).ok());
  EXPECT_EQ(again->Confirmed(), 0u);
  EXPECT_EQ(again->AwaitConfirmed(1, kDeadline).code(), Code::kPermissionDenied);
}

TEST(NatsTransportTest, AChannelThatTheServerDoesNotPermitToSubscribeToIsAnErrorUntilItIsSubscribedAnew) {
  const auto denied = [](const std::string& subject) {
    return "authorization { users: [{user: u, password: p, permissions: {subscribe: {deny: \"" + subject + "\"}}}] }";
  };
  NatsServer server(denied("no"));
  RecordingLogger logger;
  auto transport = ConnectTo({"nats://u:p@127.0.0.1:" + std::to_string(server.port()), "test"}, &logger);
  auto refused = Must(transport->Subscribe("no", "s"));
  auto permitted = Must(transport->Subscribe("yes", "s"));
  for (int i = 0; i < 2; ++i) {
    const Error error = refused->Receive(kDeadline).error();
    EXPECT_EQ(error.code(), Code::kPermissionDenied);
    EXPECT_THAT(error.message(), HasSubstr("does not permit to subscribe to no: give this user the permission"));
  }
  EXPECT_EQ(permitted->Receive(milliseconds(0)).error().code(), Code::kDeadlineExceeded);
  server.Stop();
  ASSERT_TRUE(Eventually([&] { return !transport->Connected(); }));
  EXPECT_THAT(transport->DisconnectReason(), Not(HasSubstr("Permissions")));
  server.Configure(denied("yes"));
  server.Start();
  ASSERT_TRUE(Eventually([&] { return transport->Connected(); }));
  EXPECT_EQ(permitted->Receive(kDeadline).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(refused->Receive(milliseconds(100)).error().code(), Code::kDeadlineExceeded);
  auto publisher = Must(transport->OpenPublisher("no"));
  Must(publisher->Publish("x"));
  EXPECT_EQ(MustReceive(refused.get()), "x");
}

TEST(NatsTransportTest, HeadersTravelWithTheEnvelopeAndAnIdThatNobodyLooksAtDoesNot) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test"}, &logger);
  RawNats raw(server.url());
  raw.Subscribe("a");
  const Header header{"Reason", "why"};
  auto publisher = Must(transport->OpenPublisher("a"));
  for (int i = 0; i < 2; ++i) Must(publisher->Publish({"x", "id", {&header, 1}}));
  EXPECT_EQ(raw.NextHeader("Reason"), "why");
  EXPECT_EQ(raw.NextHeader("Nats-Msg-Id"), "");
}

TEST(NatsTransportTest, OneOfSeveralServersIsEnough) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({"nats://127.0.0.1:1," + server.url(), "test"}, &logger);
  auto publisher = Must(transport->OpenPublisher("a"));
  Must(publisher->Publish("x"));
  EXPECT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
}

TEST(NatsTransportTest, TheCountOfDropsOutlivesTheDrain) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test", 10'000}, &logger);
  auto subscription = Must(transport->Subscribe("a", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  constexpr std::uint64_t kSent = 1000;
  const std::string envelope(1000, 'x');
  for (std::uint64_t i = 0; i < kSent; ++i) Must(publisher->Publish(envelope));
  ASSERT_TRUE(publisher->AwaitConfirmed(kSent, kDeadline).ok());
  subscription->Drain();
  Code end = Code::kOk;
  const std::uint64_t received = ReceiveAll(subscription.get(), kDeadline, &end).size();
  EXPECT_EQ(end, Code::kCancelled);
  EXPECT_GT(subscription->Dropped(), 0u);
  EXPECT_EQ(subscription->Dropped() + received, kSent);
}

TEST(NatsTransportTest, ADrainEndsWhenTheServerHangs) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test"}, &logger);
  auto subscription = Must(transport->Subscribe("a", "s"));
  server.Pause();
  const auto start = std::chrono::steady_clock::now();
  subscription->Drain();
  const auto end = subscription->Receive(std::chrono::seconds(10));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  server.Resume();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kCancelled);
}

// libnats itself does not hold a subscription while it gives it a message.
TEST(NatsTransportTest, SubscriptionsComeAndGoUnderAFlood) {
  NatsServer server;
  RecordingLogger logger;
  auto transport = ConnectTo({server.url(), "test"}, &logger);
  std::atomic<bool> done{false};
  std::thread flood([&] {
    auto publisher = Must(transport->OpenPublisher("a"));
    while (!done) (void)publisher->Publish("0123456789");
  });
  for (int i = 0; i < 2000; ++i) {
    auto subscription = Must(transport->Subscribe("a", "s"));
    if (i % 50 == 0) {
      EXPECT_TRUE(subscription->Receive(kDeadline).ok());
    }
  }
  done = true;
  flood.join();
}

}  // namespace
}  // namespace kps::test
