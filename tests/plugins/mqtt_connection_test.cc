// The plugin mqtt where its connection is lost, or says less than it could, at the worst moment.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>

#include "tests/plugins/harness.h"
#include "tests/plugins/mqtt_fake_broker.h"
#include "tests/support/mosquitto_server.h"

namespace kps::testing {
namespace {

using test::MosquittoServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Broker = FakeBroker;
using Connection = FakeBroker::Connection;
using Texts = std::vector<std::string>;

std::string Metadata(const std::string& url, const std::string& more = "") {
  return R"({"broker": ")" + url + R"(", "topic": "t")" + (more.empty() ? "" : ", " + more) + "}";
}

// Of a stream that is tried again, as the host does.
Texts CollectAgain(Consumer* consumer, size_t count) {
  Texts all;
  const auto deadline = std::chrono::steady_clock::now() + test::kDeadline;
  while (all.size() < count && std::chrono::steady_clock::now() < deadline) {
    try {
      for (std::string& payload : consumer->next(50)) all.push_back(std::move(payload));
    } catch (const Error& error) {
      EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
    }
  }
  return all;
}

void Subscribe(Connection& connection, int qos) {
  connection.Send(Broker::Connack(false));
  connection.Await(kSubscribe);
  connection.Send(Broker::Suback(qos));
}

bool Flushed(Producer* producer) {
  try {
    producer->flush();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
    return false;
  }
}

class MqttConnectionTest : public ::testing::Test {
 protected:
  MqttConnectionTest() { ::signal(SIGPIPE, SIG_IGN); }  // as the host does
};

TEST_F(MqttConnectionTest, WhatComesTogetherWithTheAnswerToConnectIsGivenAndNotAcknowledgedBefore) {
  std::string after;
  std::atomic<bool> given{false};
  Broker broker({[](Connection& connection) {
                   Subscribe(connection, 2);
                   connection.Send(Broker::Publish(2, 1, "a") + Broker::Publish(2, 2, "b"));
                   connection.Await(kPubrec);
                   connection.Await(kPubrec);
                 },
                 [&](Connection& connection) {
                   connection.Send(Broker::Connack(true) + Broker::Answer(kPubrel, 1) + Broker::Answer(kPubrel, 2));
                   const std::string packet = connection.Receive();
                   EXPECT_TRUE(given) << "acknowledged before the host had it: " << int(packet[0]);
                   after = packet;
                 }});
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(broker.url(), R"("qos": 2)"));
  EXPECT_THAT(CollectAgain(&consumer, 2), ElementsAre("a", "b"));
  given = true;
  consumer.ack();
  ASSERT_TRUE(broker.Ended());
  EXPECT_EQ(after.substr(0, 3), std::string({kPubcomp, 0, 1}));
}

// The broker has only the PUBREL of the third left to send: it does not know that the host has none.
TEST_F(MqttConnectionTest, WhatWasReceivedWhenTheConnectionIsLostIsGivenOnce) {
  std::atomic<bool> halves{false}, release{false}, closed{false};
  Broker broker({[&](Connection& connection) {
                   Subscribe(connection, 2);
                   connection.Send(Broker::Publish(2, 1, "a") + Broker::Publish(2, 2, "b") +
                                   Broker::Publish(2, 3, "c"));
                   for (int i = 0; i < 3; ++i) connection.Await(kPubrec);
                   halves = true;
                   EXPECT_TRUE(test::Eventually([&] { return release.load(); }));
                   connection.Send(Broker::Answer(kPubrel, 1) + Broker::Answer(kPubrel, 2));
                   connection.Close();
                   closed = true;
                 },
                 [](Connection& connection) {
                   connection.Send(Broker::Connack(true) + Broker::Answer(kPubrel, 3));
                   connection.Await(kSubscribe);
                   connection.Send(Broker::Suback(2));
                   connection.Receive();
                 }});
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(broker.url(), R"("qos": 2)"));
  while (!halves) EXPECT_THAT(consumer.next(10), ElementsAre());
  release = true;
  ASSERT_TRUE(test::Eventually([&] { return closed.load(); }));
  EXPECT_THAT(CollectAgain(&consumer, 3), ElementsAre("a", "b", "c"));
}

TEST_F(MqttConnectionTest, ASessionThatHasMuchToSendIsGoneOnWithBeforeTheSubscriptionIsAnswered) {
  Broker broker({[](Connection& connection) {
    connection.Send(Broker::Connack(true) + Broker::Publish(1, 1, "kept"));
    connection.Await(kPuback);
    connection.Send(Broker::Publish(1, 2, "kept too"));
    connection.Await(kPuback);
    connection.Send(Broker::Suback(0x87));
    connection.Receive();
  }});
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(broker.url()));
  EXPECT_THAT(consumer.next(10000), ElementsAre("kept"));
  consumer.ack();
  EXPECT_THAT(consumer.next(10000), ElementsAre("kept too"));
  consumer.ack();
  const Error error = error_of([&] { consumer.next(10000); });
  EXPECT_EQ(error.code, KPS_PERMISSION_DENIED);
  EXPECT_THAT(error.what(), HasSubstr("subscribe to t at mqtt://127.0.0.1:"));
}

TEST_F(MqttConnectionTest, ASubscriptionThatIsRefusedIsNoStream) {
  Broker broker({[](Connection& connection) {
    connection.Send(Broker::Connack(false));
    connection.Await(kSubscribe);
    connection.Send(Broker::Suback(0x87));
    connection.Receive();
  }});
  Plugin plugin("mqtt");
  EXPECT_EQ(error_of([&] { Consumer(plugin, Metadata(broker.url())); }).code, KPS_PERMISSION_DENIED);
}

TEST_F(MqttConnectionTest, ABrokerThatDoesNotAnswerTheSubscriptionIsNotHealthy) {
  Broker broker({[](Connection& connection) {
    connection.Send(Broker::Connack(false));
    while (!connection.Receive().empty()) continue;
  }});
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(broker.url()));
  const Error error = error_of([&] { consumer.next(50); });
  EXPECT_EQ(error.code, KPS_UNAVAILABLE);
  EXPECT_THAT(error.what(), HasSubstr("has not answered yet"));
}

// The broker knows nothing of the first half any more, and yet answers the second.
TEST_F(MqttConnectionTest, AnExchangeOfQos2ThatIsInterruptedIsBegunAnew) {
  std::string second;
  Broker broker({[](Connection& connection) {
                   connection.Send(Broker::Connack(false));
                   connection.Await(kPublish);
                   connection.Send(Broker::Answer(kPubrec, 1));
                   connection.Await(kPubrel);
                 },
                 [&second](Connection& connection) {
                   connection.Send(Broker::Connack(false));
                   second = connection.Receive();
                   if (static_cast<unsigned char>(second[0]) != kPubrel) {
                     connection.Send(Broker::Answer(kPubrec, 1));
                     connection.Await(kPubrel);
                   }
                   connection.Send(Broker::Answer(kPubcomp, 1));
                   connection.Receive();
                 }});
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(broker.url(), R"("qos": 2)"));
  ASSERT_EQ(producer.produce({"payload"}), 1u);
  ASSERT_TRUE(test::Eventually([&] { return Flushed(&producer); }));
  EXPECT_THAT(second, HasSubstr("payload"));
}

TEST_F(MqttConnectionTest, ManyMessagesThatComeInOneRecordOfTlsAreGiven) {
  constexpr int kCount = 900;  // fewer than the client allows without an acknowledgement
  Broker broker({[](Connection& connection) {
                  Subscribe(connection, 1);
                  std::string record;
                  for (int i = 1; i <= kCount; ++i) record += Broker::Publish(1, i, "payload");
                  connection.Send(record);
                  connection.Receive();
                }},
                true);
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(broker.url(), R"("tlsVerify": false)"));
  EXPECT_EQ(CollectAgain(&consumer, kCount).size(), static_cast<size_t>(kCount));
}

// What is offered on a connection that the broker has ended is taken once, not also by the library.
TEST_F(MqttConnectionTest, ADisconnectOfTheBrokerDoublesNothing) {
  std::atomic<bool> ended{false};
  Texts published;
  Broker broker({[&](Connection& connection) {
                   connection.Send(Broker::Connack(false) + Broker::Make(kDisconnect, "\x8b"));
                   ended = true;
                   connection.Receive();
                 },
                 [&](Connection& connection) {
                   connection.Send(Broker::Connack(false));
                   published.push_back(connection.Await(kPublish));
                   connection.Send(Broker::Answer(kPuback, 1) + Broker::Answer(kPuback, 2));
                   while (!published.back().empty()) published.push_back(connection.Await(kPublish));
                 }});
  {
    Plugin plugin("mqtt");
    Producer producer(plugin, Metadata(broker.url()));
    ASSERT_TRUE(test::Eventually([&] { return ended.load(); }));
    ASSERT_TRUE(test::Eventually([&] { return producer.produce({"payload"}) == 1; }));
    ASSERT_TRUE(test::Eventually([&] { return Flushed(&producer); }));
  }
  ASSERT_TRUE(broker.Ended());
  EXPECT_THAT(published, ElementsAre(HasSubstr("payload"), ""));
}

TEST_F(MqttConnectionTest, ABrokerThatRetainsNothingIsNoPlaceForRetainedMessages) {
  const MosquittoServer server("retain_available false");
  Plugin plugin("mqtt");
  const Error error = error_of([&] { Producer(plugin, Metadata(server.url(), R"("retain": true)")); });
  EXPECT_EQ(error.code, KPS_FAILED_PRECONDITION);
  EXPECT_THAT(error.what(), HasSubstr("the broker does not support retained messages"));
  Producer(plugin, Metadata(server.url()));
}

TEST_F(MqttConnectionTest, AMessageThatIsTooLargeWhenItWasTakenIsUndeliverableForTheNextProducer) {
  // Without room for its answers, it would end the connection after the first one.
  const MosquittoServer server("message_size_limit 100\nmax_queued_messages 1000");
  Plugin plugin("mqtt");
  const Texts messages = {"a", std::string(200, 'x'), "b"};
  {
    Producer producer(plugin, Metadata(server.url()));
    ASSERT_EQ(producer.produce(messages), 3u);
    const Error error = error_of([&] { producer.flush(); });
    EXPECT_EQ(error.code, KPS_ABORTED);
    EXPECT_THAT(error.what(), HasSubstr("1 messages are larger than the broker takes"));
    EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_DATA_LOSS) << "no other producer gets it";
  }
  Producer next(plugin, Metadata(server.url()));
  EXPECT_EQ(next.produce(messages), 1u);
  EXPECT_EQ(next.last, KPS_INVALID_ARGUMENT);
  EXPECT_THAT(next.last_text, HasSubstr("the message is larger than the broker takes"));
  EXPECT_EQ(next.produce({"b"}), 1u);
  next.flush();
}

TEST_F(MqttConnectionTest, WhatIsTooLargeForTheNextConnectionAloneIsNotTakenForAnotherMessage) {
  Broker broker({[](Connection& connection) {
                   connection.Send(Broker::Connack(false));
                   connection.Await(kPublish);
                 },
                 [](Connection& connection) {
                   connection.Send(Broker::Connack(false, std::string("\x27\0\0\0\x32", 5)));  // packets of 50 bytes
                   connection.Await(kPublish);
                   connection.Send(Broker::Answer(kPuback, 1));
                   connection.Receive();
                 }});
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(broker.url()));
  ASSERT_EQ(producer.produce({std::string(100, 'x')}), 1u);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_UNAVAILABLE);
  ASSERT_EQ(producer.produce({"small"}), 1u) << producer.last_text;
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_ABORTED);
}

}  // namespace
}  // namespace kps::testing
