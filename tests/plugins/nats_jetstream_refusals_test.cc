// The plugin nats where JetStream does not do what a stream wants.
#include <gmock/gmock.h>

#include "tests/plugins/nats_fixture.h"

namespace kps::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(NatsJetStreamTest, AConsumerThatIsAnotherIsRefused) {
  const auto create = [&](const std::string& name, const std::string& config) {
    raw.Call("CONSUMER.DURABLE.CREATE.S." + name,
             R"({"stream_name":"S","config":{"durable_name":")" + name + "\"," + config + "}}");
  };
  create("other", R"("ack_policy":"explicit","filter_subject":"t.other","max_deliver":-1)");
  create("push", R"("ack_policy":"none","filter_subject":"t","deliver_subject":"x")");
  create("limited", R"("ack_policy":"explicit","filter_subject":"t","max_deliver":3)");
  create("headers", R"("ack_policy":"explicit","filter_subject":"t","max_deliver":-1,"headers_only":true)");
  for (const auto& [name, sentence] :
       std::initializer_list<std::pair<const char*, const char*>>{{"other", "it reads the subject t.other, and not t"},
                                                                  {"push", "it is one that pushes"},
                                                                  {"limited", "its max_deliver is 3"},
                                                                  {"headers", "its headers_only is true"}}) {
    const Error error =
        error_of([&, name = name] { Consumer(plugin, metadata(R"("durable": ")" + std::string(name) + "\"")); });
    EXPECT_EQ(error.code, KPS_FAILED_PRECONDITION) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("consumer " + std::string(name) + " of stream S: " + sentence));
  }
}

TEST_F(NatsJetStreamTest, ASubjectThatNoStreamHolds) {
  const std::string nowhere = metadata("", "nowhere");
  const Error producer = error_of([&] { Producer(plugin, nowhere); });
  EXPECT_EQ(producer.code, KPS_NOT_FOUND) << producer.what();
  EXPECT_THAT(producer.what(), HasSubstr("no JetStream stream holds the subject"));
  EXPECT_EQ(error_of([&] { Consumer(plugin, nowhere); }).code, KPS_NOT_FOUND);
  const Error named = error_of([&] { Consumer(plugin, metadata(R"("stream": "NONE")")); });
  EXPECT_EQ(named.code, KPS_NOT_FOUND) << named.what();
  raw.CreateStream("A", "\"part.a\"");
  raw.CreateStream("B", "\"part.b\"");
  const Error several = error_of([&] { Consumer(plugin, metadata("", "part.*")); });
  EXPECT_EQ(several.code, KPS_FAILED_PRECONDITION) << several.what();
  raw.CreateStream("Q", "\"quiet\"", R"(,"no_ack":true)");
  const Error quiet = error_of([&] { Producer(plugin, metadata("", "quiet")); });
  EXPECT_EQ(quiet.code, KPS_FAILED_PRECONDITION) << quiet.what();
}

TEST_F(NatsJetStreamTest, AStreamThatGoesAwayIsNotFound) {
  Producer producer(plugin, metadata());
  send(&producer, {"a"});
  raw.Call("STREAM.DELETE.S");
  EXPECT_EQ(producer.produce({"b"}), 1u);
  EXPECT_TRUE(test::Eventually([&] {
    try {
      producer.flush();
    } catch (const Error& error) {
      return error.code == KPS_NOT_FOUND;
    }
    return false;
  }));
}

TEST_F(NatsJetStreamTest, AFullStreamHoldsBackAndKeepsTheOrder) {
  raw.CreateStream("FULL", "\"full\"", R"(,"max_msgs":10,"discard":"new")");
  Producer producer(plugin, metadata("", "full"));
  EXPECT_EQ(producer.produce(numbers(0, 30)), 30u);
  const Error error = error_of([&] { producer.flush(); });
  EXPECT_EQ(error.code, KPS_RESOURCE_EXHAUSTED) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("publish to full at nats://127.0.0.1:"));
  Consumer consumer(plugin, metadata("", "full"));
  EXPECT_EQ(consumer.collect(10), numbers(0, 10));
  raw.Call("STREAM.PURGE.FULL");
  raw.Call("STREAM.UPDATE.FULL", R"({"name":"FULL","subjects":["full"],"max_msgs":100,"discard":"new"})");
  EXPECT_TRUE(succeeds_after(KPS_RESOURCE_EXHAUSTED, [&] { producer.flush(); }));
  EXPECT_EQ(consumer.collect(20), numbers(10, 20));
}

TEST_F(NatsJetStreamTest, AMessageLargerThanTheStreamTakesIsRefusedAlone) {
  raw.CreateStream("SMALL", "\"small\"", R"(,"max_msg_size":100)");
  Producer producer(plugin, metadata("", "small"));
  EXPECT_EQ(producer.produce({"a", std::string(101, 'x')}), 1u);
  EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT) << producer.last_text;
  send(&producer, {"b"});
}

}  // namespace
}  // namespace kps::testing
