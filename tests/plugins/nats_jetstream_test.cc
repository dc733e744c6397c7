// The plugin nats over a real nats-server with JetStream.
#include <gmock/gmock.h>

#include <memory>
#include <thread>

#include "tests/plugins/nats_fixture.h"

namespace kps::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(NatsJetStreamTest, WhatIsPublishedIsReadInOrderAndOnce) {
  Producer producer(plugin, metadata());
  Consumer consumer(plugin, metadata());
  std::jthread sender([&] { send(&producer, numbers(0, 20000)); });
  EXPECT_EQ(collect_and_ack(&consumer, 20000), numbers(0, 20000));
  EXPECT_THAT(consumer.next(200), ElementsAre());
  EXPECT_TRUE(test::Eventually([&] { return consumer_info().find("\"num_ack_pending\":0") != std::string::npos; }));
}

TEST_F(NatsJetStreamTest, LargeAndEmptyMessages) {
  Producer producer(plugin, metadata());
  Consumer consumer(plugin, metadata());
  Texts sent{"", std::string(1048576, 'a')};
  for (int i = 0; i < 60; ++i) sent.push_back(std::string(1000000, static_cast<char>('b' + i % 20)));
  std::jthread sender([&] { send(&producer, sent); });
  EXPECT_TRUE(collect_and_ack(&consumer, sent.size()) == sent);
}

TEST_F(NatsJetStreamTest, WhatWasNotAcknowledgedComesAgainAtOnceAndInOrder) {
  publish(0, 1000);
  {
    Consumer consumer(plugin, metadata());
    EXPECT_EQ(collect_and_ack(&consumer, 300), numbers(0, 300));
    EXPECT_EQ(collect(&consumer, 400), numbers(300, 400));
  }
  publish(1000, 500);
  Consumer consumer(plugin, metadata());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(collect_and_ack(&consumer, 1200), numbers(300, 1200));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15)) << "not after the ack wait";
}

TEST_F(NatsJetStreamTest, AnAcknowledgementOfSomeDoesNotAcknowledgeTheRest) {
  publish(0, 2);
  {
    Consumer consumer(plugin, metadata());
    ASSERT_EQ(collect(&consumer, 1), numbers(0, 1));
    const uint64_t first = consumer.token;
    ASSERT_EQ(collect(&consumer, 1), numbers(1, 1));
    consumer.token = first;
    consumer.ack();
  }
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(1), numbers(1, 1));
}

TEST_F(NatsJetStreamTest, AMessageIsNamedAfterItsSequence) {
  publish(0, 3);
  Texts first;
  {
    Consumer consumer(plugin, metadata());
    EXPECT_EQ(consumer.collect(3), numbers(0, 3));
    first = consumer.ids;
    EXPECT_EQ(consumer.position, "");
  }
  ASSERT_EQ(first.size(), 3u);
  EXPECT_THAT(first[0], ::testing::StartsWith("1@20"));
  EXPECT_THAT(first[2], ::testing::StartsWith("3@20"));
  Consumer again(plugin, metadata());
  EXPECT_EQ(again.collect(3), numbers(0, 3));
  EXPECT_EQ(again.ids, first);
  again.ack();
  // Another stream of the same name begins with the same sequences.
  raw.Call("STREAM.DELETE.S");
  raw.CreateStream("S", "\"t\"");
  publish(7, 1);
  Texts came;
  const auto read = [&] {
    came = again.next(100);
    if (came.empty()) throw Error(kps_error{sizeof(kps_error), KPS_UNAVAILABLE, 0, 0, {}});
  };
  EXPECT_TRUE(succeeds_after(KPS_UNAVAILABLE, read, KPS_NOT_FOUND));
  EXPECT_EQ(came, numbers(7, 1));
  EXPECT_THAT(again.ids.back(), ::testing::StartsWith("1@20"));
  EXPECT_NE(again.ids.back(), first[0]);
}

TEST_F(NatsJetStreamTest, FromNewLeavesOutWhatIsThere) {
  publish(0, 3);
  Consumer consumer(plugin, metadata(R"("from": "new")"));
  publish(3, 1);
  EXPECT_EQ(consumer.collect(1), numbers(3, 1));
}

TEST_F(NatsJetStreamTest, AReconnectDoublesNothingThatIsHere) {
  publish(0, 1000);
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(collect(&consumer, 600), numbers(0, 600));
  server.Stop();
  server.Start();
  Texts rest;
  EXPECT_TRUE(test::Eventually([&] {
    try {
      for (std::string& payload : consumer.next(20)) rest.push_back(std::move(payload));
      consumer.ack();
    } catch (const Error& error) {
      EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
    }
    return rest.size() >= 400;
  }));
  EXPECT_EQ(rest, numbers(600, 400));
  EXPECT_TRUE(test::Eventually([&] { return consumer_info().find("\"num_ack_pending\":0") != std::string::npos; }));
}

TEST_F(NatsJetStreamTest, WhatIsHeldForLongIsNotRedelivered) {
  // An ack wait of half a second.
  raw.Call("CONSUMER.DURABLE.CREATE.S.short",
           R"({"stream_name":"S","config":{"durable_name":"short","ack_policy":"explicit","filter_subject":"t",)"
           R"("ack_wait":500000000,"max_deliver":-1}})");
  publish(0, 10);
  Consumer consumer(plugin, metadata(R"("durable": "short")"));
  EXPECT_EQ(consumer.collect(10), numbers(0, 10));
  // Nobody calls the consumer for four times as long.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  EXPECT_TRUE(test::Eventually([&] { return std::chrono::steady_clock::now() >= until; }));
  EXPECT_THAT(consumer_info("short"), HasSubstr("\"num_redelivered\":0"));
  EXPECT_THAT(consumer.next(0), ElementsAre());
  consumer.ack();
}

TEST_F(NatsJetStreamTest, AConsumerThatIsRemovedIsMadeAnewBehindWhatWasRead) {
  publish(0, 10);
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(collect_and_ack(&consumer, 10), numbers(0, 10));
  raw.Call("CONSUMER.DELETE.S.kps-s1-t");
  publish(10, 5);
  Texts came;
  EXPECT_TRUE(test::Eventually([&] {
    try {
      for (std::string& payload : consumer.next(20)) came.push_back(std::move(payload));
    } catch (const Error& error) {
      EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
    }
    return came.size() >= 5;
  }));
  EXPECT_EQ(came, numbers(10, 5));
  EXPECT_THAT(consumer_info(), HasSubstr("\"opt_start_seq\":11"));
}

TEST_F(NatsJetStreamTest, WhatIsRedeliveredThoughItIsHereComesOnce) {
  publish(0, 3);
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(3), numbers(0, 3));
  raw.Publish("$JS.ACK.S.kps-s1-t.1.2.3.0.0", "-NAK");
  EXPECT_TRUE(test::Eventually([&] { return consumer_info().find("\"num_redelivered\":1") != std::string::npos; }));
  publish(3, 1);
  EXPECT_EQ(consumer.collect(1), numbers(3, 1));
  consumer.ack();
  EXPECT_TRUE(test::Eventually([&] { return consumer_info().find("\"num_ack_pending\":0") != std::string::npos; }));
}

TEST_F(NatsJetStreamTest, AWakeEndsAWait) {
  Consumer consumer(plugin, metadata());
  Producer producer(plugin, metadata());
  std::jthread waker([&] {
    consumer.wake();
    producer.wake();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(consumer.next(60000), ElementsAre());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  waker.join();
  server.Pause();
  EXPECT_EQ(producer.produce({"a"}), 1u);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_CANCELLED);
  server.Resume();
}

TEST_F(NatsJetStreamTest, TwoStreamsShareADurableConsumer) {
  Consumer first(plugin, metadata(R"("durable": "d")"));
  Consumer second(plugin, metadata(R"("durable": "d")"));
  publish(0, 1000);
  std::vector<int> came(1000);
  size_t count = 0;
  EXPECT_TRUE(test::Eventually([&] {
    for (Consumer* consumer : {&first, &second}) {
      for (const std::string& payload : consumer->next(0, 7)) {
        ++came[static_cast<size_t>(std::stoi(payload))];
        ++count;
      }
      consumer->ack();
    }
    return count >= 1000;
  }));
  EXPECT_EQ(came, std::vector<int>(1000, 1));
}

TEST_F(NatsJetStreamTest, StreamsAreDiscovered) {
  raw.CreateStream("B", "\"b.*\"");
  raw.CreateStream("KV_k", "\"$KV.k.>\"");
  Plugin discovering("nats", R"({"broker": ")" + server.url() + "\"}");
  const Texts found = discovering.discover();
  EXPECT_THAT(found, ::testing::UnorderedElementsAre(HasSubstr(R"("id":"S/t")"), HasSubstr(R"("id":"S/t.>")"),
                                                     HasSubstr(R"("id":"B/b.*")")));
  // A stream can be set with what is found.
  const std::string& entry = found[0];
  const size_t begin = entry.find("\"metadata\":") + 11;
  Consumer consumer(discovering, entry.substr(begin, entry.size() - begin - 1));
  EXPECT_THAT(Plugin("nats").discover(), ElementsAre());
}

}  // namespace
}  // namespace kps::testing
