// The plugin nats over a real nats-server, without JetStream.
#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "tests/plugins/nats_fixture.h"

namespace kps::testing {
namespace {

using test::NatsServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class NatsCoreTest : public ::testing::Test {
 protected:
  std::string metadata(const std::string& subject = "t", const std::string& more = "") const {
    return nats_metadata(server.url(), subject, more);
  }

  NatsServer server;
  Plugin plugin{"nats"};
};

TEST_F(NatsCoreTest, AnyBytesComeThroughInOrder) {
  Consumer consumer(plugin, metadata());
  Producer producer(plugin, metadata());
  std::mt19937 random(1);
  Texts sent;
  for (const size_t size : {0, 1, 127, 16384, 65536, 100000, 1048576}) {
    std::string payload(size, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    sent.push_back(payload);
  }
  send(&producer, sent);
  EXPECT_EQ(consumer.collect(sent.size()), sent);
}

TEST_F(NatsCoreTest, ManyMessagesComeInOrder) {
  Consumer consumer(plugin, metadata());
  Producer producer(plugin, metadata());
  std::jthread sender([&] { send(&producer, numbers(0, 20000)); });
  EXPECT_EQ(consumer.collect(20000), numbers(0, 20000));
}

TEST_F(NatsCoreTest, Wildcards) {
  Consumer star(plugin, metadata("plant.*.temperature"));
  Consumer rest(plugin, metadata("plant.>"));
  Producer first(plugin, metadata("plant.1.temperature"));
  Producer second(plugin, metadata("plant.1"));
  send(&first, {"21"});
  send(&second, {"on"});
  EXPECT_THAT(star.collect(1), ElementsAre("21"));
  EXPECT_THAT(rest.collect(2), ElementsAre("21", "on"));
}

TEST_F(NatsCoreTest, AQueueGroupSharesTheMessages) {
  Consumer first(plugin, metadata("t", R"("queueGroup": "g")"));
  Consumer second(plugin, metadata("t", R"("queueGroup": "g")"));
  Producer producer(plugin, metadata());
  send(&producer, numbers(0, 1000));
  size_t came[2] = {0, 0};
  EXPECT_TRUE(test::Eventually([&] {
    came[0] += first.next(0).size();
    came[1] += second.next(0).size();
    return came[0] + came[1] >= 1000;
  }));
  EXPECT_EQ(came[0] + came[1], 1000u);
  EXPECT_GT(came[0], 0u);
  EXPECT_GT(came[1], 0u);
}

TEST_F(NatsCoreTest, WhatASlowStreamLosesIsCounted) {
  Consumer consumer(plugin, metadata("t", R"("pendingMessagesMax": 100)"));
  Producer producer(plugin, metadata());
  // A round trip of the consumer's own shows that all of it has come: the last message of each try is seen dropped.
  send(&producer, numbers(0, 1000));
  uint64_t received = 0;
  EXPECT_TRUE(test::Eventually([&] {
    received += consumer.next(0).size();
    return received + plugin.counters["dropped"] == 1000;
  }));
  EXPECT_GT(plugin.counters["dropped"], 0u);
  EXPECT_GE(received, 100u);
  ASSERT_EQ(plugin.alerts.count("messagesDropped"), 1u);
  EXPECT_EQ(plugin.alerts["messagesDropped"].first, KPS_SEVERITY_CRITICAL);
  EXPECT_THAT(plugin.alerts["messagesDropped"].second,
              HasSubstr(std::to_string(plugin.counters["dropped"]) + " messages of t were dropped"));
}

TEST_F(NatsCoreTest, TheBytesThatWaitAreBounded) {
  Consumer consumer(plugin, metadata("t", R"("pendingBytesMax": 10000)"));
  Producer producer(plugin, metadata());
  send(&producer, Texts(100, std::string(1000, 'x')));
  uint64_t received = 0;
  EXPECT_TRUE(test::Eventually([&] {
    received += consumer.next(0).size();
    return received + plugin.counters["dropped"] == 100;
  }));
  EXPECT_GT(plugin.counters["dropped"], 0u);
}

TEST_F(NatsCoreTest, AWakeEndsAWait) {
  Consumer consumer(plugin, metadata());
  std::jthread waker([&] { consumer.wake(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(consumer.next(60000), ElementsAre());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(NatsCoreTest, AMessageTooLargeIsRefusedAlone) {
  server.Stop();
  server.Configure("max_payload: 1000");
  server.Start();
  Consumer consumer(plugin, metadata());
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"a", std::string(1001, 'x'), "b"}), 1u);
  EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT);
  EXPECT_THAT(producer.last_text, HasSubstr("a message of 1001 bytes is larger than the server takes, 1000"));
  send(&producer, {"b"});
  EXPECT_THAT(consumer.collect(2), ElementsAre("a", "b"));
}

TEST_F(NatsCoreTest, AnIdleStreamSeesThatItsServerIsAwayAndBack) {
  Consumer consumer(plugin, metadata());
  server.Stop();
  EXPECT_TRUE(test::Eventually([&] {
    try {
      return !consumer.next(20).empty();
    } catch (const Error& error) {
      EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
      return true;
    }
  }));
  server.Start();
  EXPECT_TRUE(succeeds_after(KPS_UNAVAILABLE, [&] { consumer.next(0); }));
  Producer producer(plugin, metadata());
  send(&producer, {"again"});
  EXPECT_THAT(consumer.collect(1), ElementsAre("again"));
}

TEST_F(NatsCoreTest, AServerThatHangsIsAway) {
  Consumer consumer(plugin, metadata());
  Producer producer(plugin, metadata());
  server.Pause();
  const auto away = [&](auto act) {
    return test::Eventually([&] {
      try {
        act();
        return false;
      } catch (const Error& error) {
        return error.code == KPS_UNAVAILABLE;
      }
    });
  };
  EXPECT_TRUE(away([&] { consumer.next(20); }));
  producer.produce({"kept"});
  EXPECT_TRUE(away([&] { producer.flush(); }));
  server.Resume();
  EXPECT_TRUE(succeeds_after(KPS_UNAVAILABLE, [&] { consumer.next(0); }));
  EXPECT_TRUE(test::Eventually([&] {
    try {
      producer.flush();
      return true;
    } catch (const Error&) {
      return false;
    }
  }));
}

TEST_F(NatsCoreTest, WhatWasNotConfirmedIsPublishedAgainInOrder) {
  Producer producer(plugin, metadata());
  server.Pause();
  EXPECT_EQ(producer.produce(numbers(0, 100)), 100u);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_DEADLINE_EXCEEDED);
  server.Stop();
  server.Start();
  Consumer consumer(plugin, metadata());
  EXPECT_TRUE(succeeds_after(KPS_UNAVAILABLE, [&] { producer.flush(); }));
  EXPECT_EQ(consumer.collect(100), numbers(0, 100));
}

TEST_F(NatsCoreTest, TheSecondOfSeveralServersIsTaken) {
  std::string gone;
  {
    const NatsServer other;
    gone = other.url();
  }
  Consumer consumer(plugin, nats_metadata(server.url() + "," + gone, "t"));
  std::unique_ptr<Producer> producer;
  EXPECT_TRUE(succeeds_after(KPS_UNAVAILABLE, [&] {
    producer = std::make_unique<Producer>(plugin, nats_metadata(gone + "," + server.url(), "t"));
  }));
}

}  // namespace
}  // namespace kps::testing
