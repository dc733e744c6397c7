// NATS while its server is away, hangs, dies and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/fake_nats_server.h"
#include "tests/support/nats_server.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class NatsOutageTest : public testing::Test {
 protected:
  void Connect() { transport_ = ConnectTo({server_.url(), "test"}, &logger_); }
  void StopAndNotice() {
    server_.Stop();
    ASSERT_TRUE(Eventually([&] { return !transport_->Connected(); }));
  }
  void StartAndReconnect() {
    server_.Start();
    ASSERT_TRUE(Eventually([&] { return transport_->Connected(); }));
  }
  // Published to a server that hangs, so that no confirm comes.
  void PublishUnconfirmed(Publisher* publisher, int count) {
    server_.Pause();
    for (int i = 0; i < count; ++i) Must(publisher->Publish("x"));
  }

  NatsServer server_;
  RecordingLogger logger_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(NatsOutageTest, WhatWasOpenedBeforeTheServerCameWorksOnceItIsThere) {
  server_.Stop();
  transport_ = Must(MakeNatsTransport({server_.url(), "test"}, &logger_));
  auto subscription = Must(transport_->Subscribe("a.*", "s"));
  auto publisher = Must(transport_->OpenPublisher("a.b"));
  EXPECT_FALSE(transport_->Connected());
  EXPECT_NE(transport_->DisconnectReason(), "");
  EXPECT_EQ(publisher->Publish("lost").error().code(), Code::kUnavailable);
  EXPECT_EQ(subscription->Receive(milliseconds(0)).error().code(), Code::kDeadlineExceeded);
  StartAndReconnect();
  EXPECT_EQ(transport_->DisconnectReason(), "");
  EXPECT_EQ(Must(publisher->Publish("x")), 1u);
  EXPECT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
  EXPECT_EQ(MustReceive(subscription.get()), "x");
}

TEST_F(NatsOutageTest, ALossIsToldOnceAndTicketsGoOn) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  Must(publisher->Publish("safe"));
  ASSERT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
  PublishUnconfirmed(publisher.get(), 3);
  StopAndNotice();
  EXPECT_EQ(publisher->AwaitConfirmed(4, kDeadline).code(), Code::kAborted);
  EXPECT_EQ(publisher->Publish("x").error().code(), Code::kUnavailable);
  StartAndReconnect();
  EXPECT_EQ(publisher->AwaitConfirmed(4, milliseconds(20)).code(), Code::kDeadlineExceeded);
  EXPECT_EQ(publisher->Confirmed(), 1u);
  EXPECT_EQ(Must(publisher->Publish("again")), 5u);
  EXPECT_TRUE(publisher->AwaitConfirmed(5, kDeadline).ok());
  EXPECT_EQ(publisher->Confirmed(), 5u);
}

TEST_F(NatsOutageTest, ARoundTripOnTheNextConnectionConfirmsNothingOfTheLast) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  auto other = Must(transport_->OpenPublisher("b"));
  PublishUnconfirmed(publisher.get(), 3);
  StopAndNotice();
  StartAndReconnect();
  Must(other->Publish("x"));
  EXPECT_TRUE(other->AwaitConfirmed(1, kDeadline).ok());
  EXPECT_EQ(publisher->Confirmed(), 0u);
  EXPECT_EQ(publisher->Publish("x").error().code(), Code::kAborted);
  EXPECT_EQ(Must(publisher->Publish("x")), 4u);
}

TEST_F(NatsOutageTest, AConfirmForAPublisherThatHasGoneReachesNoOther) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  PublishUnconfirmed(publisher.get(), 100);
  // Now the confirmer waits for the answer; the next publisher may well get the same address.
  (void)publisher->AwaitConfirmed(100, milliseconds(100));
  publisher.reset();
  publisher = Must(transport_->OpenPublisher("a"));
  Must(publisher->Publish("x"));
  server_.Resume();
  EXPECT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
  EXPECT_EQ(publisher->Confirmed(), 1u);
}

TEST_F(NatsOutageTest, AServerThatHangsDoesNotHoldAPublisherForEver) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  const std::string envelope(512 * 1024, 'x');
  server_.Pause();
  EXPECT_TRUE(Eventually([&] { return !publisher->Publish(envelope).ok(); }));
  server_.Resume();
  EXPECT_TRUE(Eventually([&] {
    const auto ticket = publisher->Publish("x");
    return ticket.ok() && publisher->AwaitConfirmed(ticket.value(), milliseconds(2000)).ok();
  }));
}

// As a real one does after a restart with large streams.
TEST_F(NatsOutageTest, AServerThatAnswersLateButIsHeardIsWaitedFor) {
  FakeNatsServer busy;
  transport_ = ConnectTo({busy.url(), "test"}, &logger_);
  auto publisher = Must(transport_->OpenPublisher("a"));
  busy.BeLate(true);
  Must(publisher->Publish("x"));
  ASSERT_TRUE(Eventually([&] { return busy.PingsThatWait() >= 2; }));
  EXPECT_EQ(publisher->AwaitConfirmed(1, milliseconds(0)).code(), Code::kDeadlineExceeded);
  busy.BeLate(false);
  EXPECT_TRUE(publisher->AwaitConfirmed(1, kDeadline).ok());
  EXPECT_EQ(transport_->Counters().reconnects, 0u);
}

TEST_F(NatsOutageTest, ADrainWithoutAServerReturnsWhatHadArrivedAndEndsWithinASecond) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  for (int i = 0; i < 10; ++i) Must(publisher->Publish("x"));
  ASSERT_TRUE(publisher->AwaitConfirmed(10, kDeadline).ok());
  StopAndNotice();
  const auto start = steady_clock::now();
  subscription->Drain();
  Code end = Code::kOk;
  EXPECT_EQ(ReceiveAll(subscription.get(), kDeadline, &end).size(), 10u);
  EXPECT_EQ(end, Code::kCancelled);
  subscription.reset();
  EXPECT_LT(steady_clock::now() - start, milliseconds(1000));
}

TEST_F(NatsOutageTest, ADrainWithoutAServerWakesAReceiveThatWaits) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  StopAndNotice();
  const auto start = steady_clock::now();
  Code end = Code::kOk;
  std::thread receiver([&] { end = subscription->Receive(kDeadline).error().code(); });
  subscription->Drain();
  receiver.join();
  EXPECT_EQ(end, Code::kCancelled);
  EXPECT_LT(steady_clock::now() - start, milliseconds(1000));
}

TEST_F(NatsOutageTest, TheTransportGoesAwayCleanlyWithoutItsServer) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  PublishUnconfirmed(publisher.get(), 3);
  server_.Stop();
  publisher.reset();
  const auto start = steady_clock::now();
  transport_.reset();
  EXPECT_LT(steady_clock::now() - start, milliseconds(4000));
}

TEST_F(NatsOutageTest, AServerThatHangsIsNotCalledConnectedUntilItAnswers) {
  Connect();
  auto publisher = Must(transport_->OpenPublisher("a"));
  PublishUnconfirmed(publisher.get(), 1);
  EXPECT_TRUE(Eventually([&] { return !transport_->Connected(); }));
  EXPECT_EQ(publisher->AwaitConfirmed(1, kDeadline).code(), Code::kAborted);
  server_.Resume();
  EXPECT_TRUE(Eventually([&] { return transport_->Connected(); }));
  EXPECT_GE(transport_->Counters().reconnects, 1u);
}

TEST_F(NatsOutageTest, AnIdleConnectionFindsOutThatItsServerHangs) {
  Connect();
  server_.Pause();
  EXPECT_TRUE(Eventually([&] { return !transport_->Connected(); }));
  server_.Resume();
  EXPECT_TRUE(Eventually([&] { return transport_->Connected(); }));
}

TEST_F(NatsOutageTest, AWatcherIsToldTheStateAndEveryChangeUntilItEnds) {
  Connect();
  std::mutex mutex;
  std::vector<bool> told;
  const auto copy = [&] {
    std::lock_guard lock(mutex);
    return told;
  };
  transport_->WatchConnection([&](bool connected) {
    std::lock_guard lock(mutex);
    told.push_back(connected);
  });
  EXPECT_EQ(copy(), (std::vector<bool>{true}));
  StopAndNotice();
  EXPECT_TRUE(Eventually([&] { return copy() == std::vector<bool>{true, false}; }));
  StartAndReconnect();
  EXPECT_TRUE(Eventually([&] { return copy() == std::vector<bool>{true, false, true}; }));
  transport_->WatchConnection({});
  StopAndNotice();
  EXPECT_EQ(copy().size(), 3u);
}

TEST_F(NatsOutageTest, FailedAttemptsAndReconnectsAreCounted) {
  Connect();
  EXPECT_EQ(transport_->Counters().connect_errors, 0u);
  StopAndNotice();
  EXPECT_TRUE(Eventually([&] { return transport_->Counters().connect_errors >= 2; }));
  auto publisher = Must(transport_->OpenPublisher("a"));
  EXPECT_FALSE(publisher->Publish("x").ok());
  EXPECT_EQ(transport_->Counters().publish_errors, 1u);
  StartAndReconnect();
  EXPECT_TRUE(Eventually([&] { return transport_->Counters().reconnects == 1; }));
}

TEST_F(NatsOutageTest, RefusedCredentialsAreTriedAgainUntilTheServerTakesThem) {
  server_.Stop();
  server_.Configure("authorization { user: u, password: other }");
  server_.Start();
  transport_ =
      Must(MakeNatsTransport({"nats://u:secret@127.0.0.1:" + std::to_string(server_.port()), "test"}, &logger_));
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  EXPECT_TRUE(Eventually([&] { return transport_->Counters().connect_errors >= 4; }));
  EXPECT_THAT(transport_->DisconnectReason(), testing::HasSubstr("Authorization Violation"));
  server_.Stop();
  server_.Configure("authorization { user: u, password: secret }");
  StartAndReconnect();
  const std::uint64_t ticket = Must(publisher->Publish("x"));
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
  EXPECT_EQ(MustReceive(subscription.get()), "x");
  EXPECT_EQ(logger_.CountWith("secret"), 0u);
}

TEST_F(NatsOutageTest, ASlowSubscriberGetsInOrderWhatSeveralConnectionsBrought) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  std::vector<std::string> sent;
  for (int connection = 0; connection < 4; ++connection) {
    if (connection > 0) {
      StopAndNotice();
      StartAndReconnect();
    }
    auto publisher = Must(transport_->OpenPublisher("a"));
    for (int i = 0; i < 10; ++i) {
      sent.push_back(std::to_string(connection) + "." + std::to_string(i));
      Must(publisher->Publish(sent.back()));
    }
    ASSERT_TRUE(publisher->AwaitConfirmed(10, kDeadline).ok());
  }
  Code end = Code::kOk;
  EXPECT_EQ(ReceiveAll(subscription.get(), milliseconds(0), &end), sent);
  EXPECT_EQ(end, Code::kDeadlineExceeded);
  EXPECT_EQ(subscription->Dropped(), 0u);
}

TEST_F(NatsOutageTest, WhatASlowSubscriberKeepsOverSeveralConnectionsIsBoundedAndTheRestCounted) {
  constexpr std::int64_t kBytesMax = 10'000;
  constexpr int kConnections = 6;
  transport_ = ConnectTo({server_.url(), "test", kBytesMax}, &logger_);
  auto subscription = Must(transport_->Subscribe("a", "s"));
  for (int connection = 0; connection < kConnections; ++connection) {
    if (connection > 0) {
      StopAndNotice();
      StartAndReconnect();
    }
    auto publisher = Must(transport_->OpenPublisher("a"));
    for (int i = 0; i < 200; ++i) Must(publisher->Publish(std::string(100, 'x')));
    ASSERT_TRUE(publisher->AwaitConfirmed(200, kDeadline).ok());
  }
  Code end = Code::kOk;
  const std::size_t received = ReceiveAll(subscription.get(), milliseconds(0), &end).size();
  EXPECT_LE(received, 3 * 100u) << "of the first connection, carried over, of the last";
  EXPECT_EQ(received + subscription->Dropped(), kConnections * 200u);
}

TEST_F(NatsOutageTest, ADrainAfterSeveralConnectionsReturnsWhatTheyBrought) {
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  for (int connection = 0; connection < 3; ++connection) {
    auto publisher = Must(transport_->OpenPublisher("a"));
    for (int i = 0; i < 10; ++i) Must(publisher->Publish("x"));
    ASSERT_TRUE(publisher->AwaitConfirmed(10, kDeadline).ok());
    StopAndNotice();
    StartAndReconnect();
  }
  subscription->Drain();
  Code end = Code::kOk;
  EXPECT_EQ(ReceiveAll(subscription.get(), kDeadline, &end).size(), 30u);
  EXPECT_EQ(end, Code::kCancelled);
}

// Publisher and subscriber share the connection: what is confirmed has then also arrived.
TEST_F(NatsOutageTest, NothingIsLostWhenTheServerDiesUnderLoad) {
  constexpr int kOutages = 3;
  Connect();
  auto subscription = Must(transport_->Subscribe("a", "s"));
  auto publisher = Must(transport_->OpenPublisher("a"));
  std::atomic<std::uint64_t> confirmed{0};  // envelopes, not tickets
  std::atomic<bool> enough{false};

  std::thread caller([&] {
    std::vector<std::uint64_t> tickets;  // of the envelopes confirmed + 1, confirmed + 2, ...
    bool more = true;
    while (more) {
      more = !enough || !tickets.empty();
      Error error;
      if (tickets.size() < 1000 && !(enough && tickets.empty())) {
        auto ticket = publisher->Publish(std::to_string(confirmed + tickets.size() + 1));
        if (ticket.ok()) tickets.push_back(ticket.value());
        if (!ticket.ok()) error = ticket.error();
      }
      if (error.ok() && !tickets.empty() && (enough || tickets.size() >= 1000)) {
        error = publisher->AwaitConfirmed(tickets.front(), milliseconds(100));
      }
      const std::uint64_t safe = publisher->Confirmed();
      const auto open = std::upper_bound(tickets.begin(), tickets.end(), safe);
      confirmed += static_cast<std::uint64_t>(open - tickets.begin());
      tickets.erase(tickets.begin(), open);
      if (error.code() == Code::kAborted || error.code() == Code::kUnavailable) tickets.clear();
    }
  });
  std::vector<std::uint64_t> received;
  std::thread receiver([&] {
    while (true) {
      auto delivery = subscription->Receive(kDeadline);
      if (!delivery.ok()) return;
      received.push_back(std::stoull(std::string(delivery.value().envelope)));
    }
  });
  for (int i = 0; i < kOutages; ++i) {
    const std::uint64_t before = confirmed;
    EXPECT_TRUE(Eventually([&] { return confirmed > before + 2000; }));
    StopAndNotice();
    StartAndReconnect();
  }
  const std::uint64_t before = confirmed;
  EXPECT_TRUE(Eventually([&] { return confirmed > before + 2000; }));
  enough = true;
  caller.join();
  subscription->Drain();
  receiver.join();

  std::uint64_t next = 1;  // envelopes may come twice; each comes first in its turn
  for (const std::uint64_t each : received) {
    ASSERT_LE(each, next) << "some are missing";
    if (each == next) ++next;
  }
  EXPECT_GT(next, confirmed);
}

}  // namespace
}  // namespace kps::test
