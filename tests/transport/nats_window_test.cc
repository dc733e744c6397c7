// NATS with the window of an ingress stream, as host/core/ingress.cc uses them together.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/core/envelope.h"
#include "host/core/window.h"
#include "tests/support/fake_nats_server.h"
#include "tests/support/nats_server.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Publishes `prefix` 0, 1, ... `count` - 1 as host/core/ingress.cc does. Returns what it was told to be safe.
int PublishAll(Publisher* publisher, const std::string& prefix, int count, std::atomic<int>* safe,
               steady_clock::time_point deadline) {
  Window window({}, "run", "own");
  int pushed = 0;
  Window::Confirmed confirmed{};
  while (*safe < count && steady_clock::now() < deadline) {
    for (const auto ticket = publisher->Confirmed(); window.PopConfirmed(ticket, &confirmed);) {
      *safe = static_cast<int>(*confirmed.token) + 1;
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

TEST(NatsWindowTest, WhereNobodyWaitsForAConfirmRoundTripsAreNotMoreThanOneAMillisecond) {
  FakeNatsServer server;
  RecordingLogger logger;
  const auto transport = ConnectTo({server.url(), "test"}, &logger);
  const auto publisher = Must(transport->OpenPublisher("a"));
  const auto begin = steady_clock::now();
  const int before = server.Pings();
  std::uint64_t ticket = 0;
  while (steady_clock::now() < begin + milliseconds(100)) ticket = Must(publisher->Publish("x"));
  const int pings = server.Pings() - before;
  const auto during = std::chrono::ceil<milliseconds>(steady_clock::now() - begin).count();
  EXPECT_LE(pings, during + 1);
  EXPECT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
}

// The heart of at least once: the server is killed again and again under load. The reader is on the publishers' own
// connection, where an envelope comes before the PONG that confirms it: so it has got everything that was confirmed.
TEST(NatsWindowTest, RestartsUnderLoadLoseNothingAndKeepTheOrder) {
  constexpr int kPublishers = 3;
  constexpr int kRestarts = 5;
  constexpr int kCount = 60'000;
  NatsServer server;
  RecordingLogger logger;
  const auto transport = ConnectTo({server.url(), "test"}, &logger);
  const auto subscription = std::move(transport->Subscribe("p.>", "s").value());
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
    ASSERT_TRUE(Eventually([&] { return safe[0] > before + 500 || safe[0] == kCount; }, milliseconds(20'000)));
    server.Stop();
    server.Start();
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (int p = 0; p < kPublishers; ++p) {
    EXPECT_TRUE(Eventually([&] { return seen[p] == kCount; })) << p << ": " << seen[p];
  }
  done = true;
  reader.join();
  EXPECT_EQ(gaps, 0);
}

}  // namespace
}  // namespace kps::test
