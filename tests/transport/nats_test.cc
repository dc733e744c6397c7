// What is particular to NATS: a server that is away, comes back, hangs, refuses or is faster than the subscriber.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/core/envelope.h"
#include "host/core/window.h"
#include "host/transport/make_transport.h"
#include "host/transport/nats_transport.h"
#include "tests/transport/nats_server.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::NatsServer;
using testing::WaitFor;

constexpr milliseconds kSoon{2000};

class NullLogger : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
};
NullLogger logger;

std::unique_ptr<Transport> Make(const std::string& url) {
  auto transport = MakeTransport(url, "nats-test", &logger);
  EXPECT_TRUE(transport.ok()) << transport.error().ToString();
  return std::move(transport.value());
}

std::unique_ptr<Transport> MakeConnected(const std::string& url) {
  auto transport = Make(url);
  EXPECT_TRUE(WaitFor([&] { return transport->Connected(); })) << transport->DisconnectReason();
  return transport;
}

// Until the subscription, perhaps of another connection, is known to the server.
void WaitUntilHeard(Publisher* publisher, Subscription* subscription) {
  ASSERT_TRUE(WaitFor([&] {
    (void)publisher->Publish("ping");
    return subscription->Receive(milliseconds(20)).ok();
  }));
  while (subscription->Receive(milliseconds(100)).ok()) {
  }
}

TEST(MakeTransport, RefusesWhatIsNoTransport) {
  for (const char* url : {"", "memory", "memory:x", "http://localhost:4222", "localhost:4222", "NATS"}) {
    const auto transport = MakeTransport(url, "test", &logger);
    ASSERT_FALSE(transport.ok()) << url;
    EXPECT_EQ(transport.error().code(), Code::kInvalidArgument);
    EXPECT_NE(transport.error().message().find("use nats://"), std::string::npos) << transport.error().message();
  }
}

TEST(MakeTransport, RefusesBadNatsUrlInASentence) {
  for (const char* url : {"nats://127.0.0.1:port", "nats://127.0.0.1:4222,nats://127.0.0.1:99999"}) {
    const auto transport = MakeTransport(url, "test", &logger);
    ASSERT_FALSE(transport.ok()) << url;
    EXPECT_EQ(transport.error().code(), Code::kInvalidArgument);
    EXPECT_NE(transport.error().message().find(std::string("cannot use the NATS URL ") + url), std::string::npos)
        << transport.error().message();
  }
}

TEST(Nats, ServerThatComesLater) {
  NatsServer server(NatsServer::State::kStopped);
  const auto transport = Make(server.url());
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  EXPECT_FALSE(transport->Connected());
  EXPECT_NE(transport->DisconnectReason().find(server.url()), std::string::npos) << transport->DisconnectReason();
  const auto refused = publisher->Publish("early");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_EQ(refused.error().message(), transport->DisconnectReason());

  server.Start();
  ASSERT_TRUE(WaitFor([&] { return transport->Connected(); }));
  EXPECT_EQ(transport->DisconnectReason(), "");
  EXPECT_EQ(transport->EnvelopeBytesMax(), 1024u * 1024);
  const auto ticket = publisher->Publish("now");
  ASSERT_TRUE(ticket.ok()) << ticket.error().ToString();
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket.value(), milliseconds(5000)).ok());
  const auto delivery = subscription->Receive(milliseconds(5000));
  ASSERT_TRUE(delivery.ok()) << delivery.error().ToString();
  EXPECT_EQ(delivery.value().envelope, "now");
}

TEST(Nats, DestroyedWithoutAServerEver) {
  NatsServer server(NatsServer::State::kStopped);
  auto transport = Make(server.url());
  auto subscription = std::move(transport->Subscribe("c").value());
  const auto start = steady_clock::now();
  subscription.reset();
  transport.reset();
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000));
}

TEST(Nats, OneOfSeveralServersIsEnough) {
  NatsServer away(NatsServer::State::kStopped);
  NatsServer server;
  const auto transport = MakeConnected(away.url() + "," + server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  const auto ticket = publisher->Publish("x");
  ASSERT_TRUE(ticket.ok()) << ticket.error().ToString();
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket.value(), milliseconds(5000)).ok());
}

TEST(Nats, LostServerIsNamedAndFoundAgain) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  server.Stop();
  ASSERT_TRUE(WaitFor([&] { return !transport->Connected(); }));
  EXPECT_NE(transport->DisconnectReason().find(server.url()), std::string::npos) << transport->DisconnectReason();
  EXPECT_EQ(publisher->Publish("x").error().code(), Code::kUnavailable);
  server.Start();
  ASSERT_TRUE(WaitFor([&] { return transport->Connected(); }));
  EXPECT_EQ(transport->DisconnectReason(), "");
  ASSERT_TRUE(publisher->Publish("y").ok());
  const auto delivery = subscription->Receive(milliseconds(5000));
  ASSERT_TRUE(delivery.ok()) << delivery.error().ToString();
  EXPECT_EQ(delivery.value().envelope, "y");
}

// The server hangs with envelopes under way, and dies: none of them may be called safe.
TEST(Nats, UnconfirmedEnvelopesAreReportedLost) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  server.Pause();
  ASSERT_TRUE(publisher->Publish("1").ok());
  const auto ticket = publisher->Publish("2");
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(publisher->AwaitConfirmed(ticket.value(), milliseconds(50)).code(), Code::kDeadlineExceeded);
  server.Restart();
  EXPECT_EQ(publisher->AwaitConfirmed(ticket.value(), milliseconds(10'000)).code(), Code::kAborted);
  EXPECT_EQ(publisher->Confirmed(), 0u);
  const auto again = publisher->Publish("1");
  ASSERT_TRUE(again.ok()) << again.error().ToString() << "; a loss is told once";
  EXPECT_EQ(again.value(), 3u);
  EXPECT_TRUE(publisher->AwaitConfirmed(again.value(), milliseconds(5000)).ok());
}

TEST(Nats, LossIsToldByPublishToo) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  server.Pause();
  ASSERT_TRUE(publisher->Publish("1").ok());
  server.Restart();
  Code code = Code::kOk;
  EXPECT_TRUE(WaitFor([&] {
    const auto ticket = publisher->Publish("2");
    code = ticket.ok() ? Code::kOk : ticket.error().code();
    return code == Code::kAborted;
  }));
  EXPECT_EQ(publisher->Confirmed(), 0u);
}

TEST(Nats, PausedServerConfirmsWhenItGoesOn) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  server.Pause();
  const auto ticket = publisher->Publish("1");
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(publisher->AwaitConfirmed(ticket.value(), milliseconds(100)).code(), Code::kDeadlineExceeded);
  server.Resume();
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket.value(), milliseconds(10'000)).ok());
}

// With full socket buffers towards a server that hangs, Publish may block for a short while only, nobody else does, and
// all is well when the server goes on.
TEST(Nats, HangingServerBlocksNobodyForLong) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  server.Pause();
  const std::string large(900'000, 'x');
  std::atomic<bool> refused{false};
  std::thread publishing([&] {
    for (int i = 0; i < 100 && !refused; ++i) refused = !publisher->Publish(large).ok();
  });
  EXPECT_TRUE(WaitFor([&] { return refused.load(); })) << "Publish blocks";
  const auto start = steady_clock::now();
  (void)transport->DisconnectReason();
  (void)transport->Connected();
  EXPECT_LT(steady_clock::now() - start, kSoon);
  server.Resume();
  publishing.join();
  std::uint64_t ticket = 0;
  EXPECT_TRUE(WaitFor([&] {
    const auto published = publisher->Publish("y");
    if (published.ok()) ticket = published.value();
    return published.ok() && publisher->AwaitConfirmed(ticket, milliseconds(1000)).ok();
  }));
}

TEST(Nats, TooLargeNamesBothSizes) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  EXPECT_TRUE(publisher->Publish(std::string(1024 * 1024, 'x')).ok());
  const auto refused = publisher->Publish(std::string(1024 * 1024 + 1, 'x'));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("1048577"), std::string::npos) << refused.error().message();
  EXPECT_NE(refused.error().message().find("1048576"), std::string::npos) << refused.error().message();
  const auto ticket = publisher->Publish("x");
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket.value(), milliseconds(5000)).ok());
}

TEST(Nats, DropsOfASlowSubscriberAreCounted) {
  constexpr std::uint64_t kSent = 1000;
  NatsServer server;
  auto made = MakeNatsTransport({server.url(), "slow", 10'000}, &logger);
  ASSERT_TRUE(made.ok());
  const auto transport = std::move(made.value());
  ASSERT_TRUE(WaitFor([&] { return transport->Connected(); }));
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  const std::string envelope(1000, 'x');
  for (std::uint64_t i = 0; i < kSent; ++i) ASSERT_TRUE(publisher->Publish(envelope).ok());
  ASSERT_TRUE(publisher->AwaitConfirmed(kSent, milliseconds(10'000)).ok());
  std::uint64_t received = 0;
  while (subscription->Receive(milliseconds(300)).ok()) ++received;
  EXPECT_GE(received, 9u);
  EXPECT_GT(subscription->Dropped(), 0u);
  EXPECT_EQ(received + subscription->Dropped(), kSent);
  const std::uint64_t dropped = subscription->Dropped();
  subscription->Drain();
  EXPECT_TRUE(WaitFor([&] {
    const auto delivery = subscription->Receive(milliseconds(10));
    return !delivery.ok() && delivery.error().code() == Code::kCancelled;
  }));
  EXPECT_EQ(subscription->Dropped(), dropped) << "the count outlives the drain";
}

TEST(Nats, DrainWithoutAConnectionReturnsWhatHadArrivedAndEnds) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto subscription = std::move(transport->Subscribe("c").value());
  const auto publisher = std::move(transport->OpenPublisher("c").value());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publisher->Publish("x").ok());
  ASSERT_TRUE(subscription->Receive(milliseconds(5000)).ok());
  ASSERT_TRUE(publisher->AwaitConfirmed(3, milliseconds(5000)).ok());
  server.Stop();
  ASSERT_TRUE(WaitFor([&] { return !transport->Connected(); }));
  const auto start = steady_clock::now();
  subscription->Drain();
  EXPECT_TRUE(subscription->Receive(milliseconds(1000)).ok());
  EXPECT_TRUE(subscription->Receive(milliseconds(1000)).ok());
  const auto end = subscription->Receive(milliseconds(10'000));
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kCancelled);
  EXPECT_LT(steady_clock::now() - start, kSoon);
}

TEST(Nats, WaitingReceiveEndsWhenDrainedWithoutAConnection) {
  NatsServer server(NatsServer::State::kStopped);
  const auto transport = Make(server.url());
  const auto subscription = std::move(transport->Subscribe("c").value());
  std::thread drainer([&] {
    std::this_thread::sleep_for(milliseconds(100));
    subscription->Drain();
  });
  const auto start = steady_clock::now();
  const auto end = subscription->Receive(milliseconds(10'000));
  EXPECT_LT(steady_clock::now() - start, kSoon);
  drainer.join();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kCancelled);
}

// The server stops while the drain is on.
TEST(Nats, DrainEndsWhenTheServerHangs) {
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto subscription = std::move(transport->Subscribe("c").value());
  server.Pause();
  const auto start = steady_clock::now();
  subscription->Drain();
  const auto end = subscription->Receive(milliseconds(10'000));
  EXPECT_LT(steady_clock::now() - start, kSoon);
  server.Resume();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kCancelled);
}

// Publishes `prefix` 0, 1, ... `count` - 1 as host/core/ingress.cc does. Returns what it was told to be safe.
int PublishAll(Publisher* publisher, const std::string& prefix, int count, std::atomic<int>* safe,
               steady_clock::time_point deadline) {
  Window window({});
  int pushed = 0;
  Window::Confirmed confirmed{};
  while (*safe < count && steady_clock::now() < deadline) {
    for (const auto ticket = publisher->Confirmed(); window.PopConfirmed(ticket, &confirmed);) {
      *safe = static_cast<int>(confirmed.token) + 1;
    }
    if (!window.full() && pushed < count) {
      const std::string text = prefix + std::to_string(pushed);
      const MessageView message{text, 1};
      Batch batch;
      batch.messages = {&message, 1};
      batch.token = static_cast<std::uint64_t>(pushed++);
      window.Push(batch, 1);
    }
    Error error = window.PublishTo(publisher);
    if (error.ok() && !window.empty() && (window.full() || pushed == count)) {
      error = publisher->AwaitConfirmed(window.OldestTicket(), milliseconds(20));
    }
    if (error.code() == Code::kAborted) window.Rewind();
    if (error.code() == Code::kUnavailable) {
      if (!window.empty() &&
          publisher->AwaitConfirmed(publisher->Confirmed() + 1, milliseconds(0)).code() == Code::kAborted) {
        window.Rewind();
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  return *safe;
}

// The heart of at least once: the server is killed again and again under load. The reader is on the publishers' own
// connection, where an envelope comes before the PONG that confirms it: so it has got everything that was confirmed.
TEST(Nats, RestartsUnderLoadLoseNothingAndKeepTheOrder) {
  constexpr int kPublishers = 3;
  constexpr int kRestarts = 5;
  constexpr int kCount = 60'000;
  NatsServer server;
  const auto transport = MakeConnected(server.url());
  const auto subscription = std::move(transport->Subscribe("p.>").value());
  const auto deadline = steady_clock::now() + milliseconds(60'000);

  std::vector<std::atomic<int>> safe(kPublishers);
  std::vector<std::atomic<int>> seen(kPublishers);  // 0 .. seen-1 have been received, first occurrences in order
  std::atomic<int> gaps{0};
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::vector<MessageView> messages;
    while (true) {
      const auto delivery = subscription->Receive(milliseconds(20));
      if (!delivery.ok() && done) return;
      if (!delivery.ok()) continue;
      ASSERT_TRUE(DecodeEnvelope(delivery.value().envelope, &messages).ok());
      ASSERT_EQ(messages.size(), 1u);
      const std::string text(messages[0].payload);
      const int p = text[0] - 'a';
      const int n = std::stoi(text.substr(1));
      if (n == seen[p]) ++seen[p];
      if (n > seen[p]) {
        ++gaps;
        seen[p] = n + 1;
      }
    }
  });
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      const auto publisher = std::move(transport->OpenPublisher("p." + std::to_string(p)).value());
      EXPECT_EQ(PublishAll(publisher.get(), std::string(1, static_cast<char>('a' + p)), kCount, &safe[p], deadline),
                kCount);
    });
  }
  for (int i = 0; i < kRestarts; ++i) {
    const int before = safe[0];
    ASSERT_TRUE(WaitFor([&] { return safe[0] > before + 500 || safe[0] == kCount; }, milliseconds(20'000)));
    server.Restart();
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (int p = 0; p < kPublishers; ++p) {
    EXPECT_TRUE(WaitFor([&] { return seen[p] == kCount; })) << p << ": " << seen[p];
  }
  done = true;
  reader.join();
  EXPECT_EQ(gaps, 0);
}

}  // namespace
}  // namespace kps
