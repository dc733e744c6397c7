// What a durable JetStream consumer delivers, and delivers again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

class JetStreamSubscribeTest : public testing::Test {
 protected:
  void Connect(const JetStreamOptions& jetstream = {}, std::int64_t pending_bytes_max = 64 * 1024 * 1024) {
    transport_ = ConnectTo({server_.url(), "test", pending_bytes_max, jetstream}, &logger_);
  }
  void ConnectWithAckWait(milliseconds ack_wait) {
    JetStreamOptions options;
    options.ack_wait = ack_wait;
    Connect(options);
  }
  // As a user who may not publish to these subjects.
  void ConnectWithout(const std::string& subjects, milliseconds ack_wait = JetStreamOptions().ack_wait) {
    server_.Stop();
    server_.Configure(JetStreamConfig() +
                      "\nauthorization { users: [{user: u, password: p, permissions: {publish: {deny: \"" + subjects +
                      "\"}}}] }");
    server_.Start();
    NatsOptions options{"nats://u:p@127.0.0.1:" + std::to_string(server_.port()), "test"};
    options.jetstream.emplace().ack_wait = ack_wait;
    transport_ = ConnectTo(std::move(options), &logger_);
  }
  std::unique_ptr<Subscription> Subscribe(const std::string& name = "s", const std::string& channel = "a") {
    return Must(transport_->Subscribe(channel, name));
  }
  void PublishNumbers(int from, int to, const std::string& channel = "a", std::size_t padding = 0) {
    auto publisher = Must(transport_->OpenPublisher(channel));
    std::uint64_t ticket = 0;
    for (int i = from; i <= to; ++i) ticket = Must(publisher->Publish(std::to_string(i) + std::string(padding, ' ')));
    ASSERT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
  }
  static void ExpectNumbers(Subscription* subscription, int from, int to) {
    for (int i = from; i <= to; ++i) {
      const Delivery delivery = Must(subscription->Receive(kDeadline));
      ASSERT_EQ(std::stoi(std::string(delivery.envelope)), i);
    }
  }
  static void ExpectNothing(Subscription* subscription, milliseconds during = milliseconds(100)) {
    EXPECT_EQ(subscription->Receive(during).error().code(), Code::kDeadlineExceeded);
  }
  // What the server has delivered to the subscriber and waits to be told about.
  int AckPending() { return Count("num_ack_pending"); }
  int Count(const std::string& what) {
    const std::string info = raw_.Call("CONSUMER.INFO.kps-a.+s+a");
    const std::string key = "\"" + what + "\":";
    return std::stoi(info.substr(info.find(key) + key.size()));
  }

  // As an operator does.
  void ChangeConsumer(const std::string& settings) {
    raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
              R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"explicit","filter_subject":"a",)"
              R"("deliver_policy":"all","ack_wait":10000000000,"max_ack_pending":1000,)" +
                  settings + "}}");
  }

  NatsServer server_{JetStreamConfig()};
  RawNats raw_{server_.url()};
  RecordingLogger logger_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(JetStreamSubscribeTest, WhatWasPublishedBeforeTheFirstSubscriberIsKeptForIt) {
  Connect();
  PublishNumbers(1, 10);
  ExpectNumbers(Subscribe().get(), 1, 10);
}

TEST_F(JetStreamSubscribeTest, WhatASubscriberDidNotAcknowledgeComesToTheNextOfItsNameAtOnceAndInOrder) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 20);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(4);
  subscription.reset();
  subscription = Subscribe();
  ExpectNumbers(subscription.get(), 5, 10);
  for (int i = 11; i <= 20; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  ExpectNumbers(Subscribe("other").get(), 1, 20);
}

TEST_F(JetStreamSubscribeTest, WhatAHostThatWasKilledHadInHandComesToTheNextAtOnceAndFirst) {
  ConnectWithAckWait(std::chrono::seconds(60));
  PublishNumbers(1, 30);
  raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
            R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"explicit","filter_subject":"a",)"
            R"("ack_wait":60000000000,"max_ack_pending":100,"deliver_policy":"all"}})");
  for (int i = 0; i < 10; ++i) (void)raw_.Call("CONSUMER.MSG.NEXT.kps-a.+s+a", "1");  // a host that says no more
  auto subscription = Subscribe();
  ExpectNumbers(subscription.get(), 1, 10);
  ExpectNumbers(subscription.get(), 11, 30);
}

TEST_F(JetStreamSubscribeTest, WhatAHostThatWasKilledHadInHandOfOneOfTheStreamsChannelsComesFirst) {
  raw_.CreateStream("k", "\"k.>\"");
  for (int i = 1; i <= 30; ++i) {
    raw_.Publish("k.a", std::to_string(i));
    raw_.Publish("k.b", "of another channel");
  }
  raw_.Call("CONSUMER.DURABLE.CREATE.k.+s+k=a",
            R"({"stream_name":"k","config":{"durable_name":"+s+k=a","ack_policy":"explicit","filter_subject":"k.a",)"
            R"("ack_wait":60000000000,"max_ack_pending":100,"deliver_policy":"all"}})");
  for (int i = 0; i < 10; ++i) (void)raw_.Call("CONSUMER.MSG.NEXT.k.+s+k=a", "1");  // a host that says no more
  ConnectWithAckWait(std::chrono::seconds(60));
  auto subscription = Subscribe("s", "k.a");
  ExpectNumbers(subscription.get(), 1, 10);
  ExpectNumbers(subscription.get(), 11, 30);
}

TEST_F(JetStreamSubscribeTest, WhatAHostThatWasKilledHadAskedForIsNotInTheWay) {
  ConnectWithAckWait(std::chrono::seconds(60));
  PublishNumbers(1, 10);
  {
    auto former = Subscribe();
    former->Drain();
  }
  {
    RawNats host(server_.url());
    host.Subscribe("inbox");
    host.Ask("$JS.API.CONSUMER.MSG.NEXT.kps-a.+s+a", "inbox", R"({"batch":100,"expires":60000000000})");
    EXPECT_TRUE(Eventually([&] { return AckPending() == 10 && Count("num_waiting") == 1; }));
  }
  PublishNumbers(11, 12);
  auto subscription = Subscribe();
  for (int i = 1; i <= 12; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
}

TEST_F(JetStreamSubscribeTest, WhatAnotherHostThatIsThereHasInHandIsNotDoubled) {
  Connect();
  PublishNumbers(1, 10);
  auto holder = Subscribe();
  ExpectNumbers(holder.get(), 1, 10);
  EXPECT_TRUE(Eventually([&] {  // it asks for more
    (void)holder->Receive(milliseconds(10));
    return Count("num_waiting") > 0;
  }));
  auto other = Subscribe();
  ExpectNothing(other.get(), milliseconds(300));
  ExpectNothing(holder.get());
  EXPECT_EQ(Count("num_redelivered"), 0);
}

TEST_F(JetStreamSubscribeTest, WhatAHostThatWasKilledHadAcknowledgedDoesNotComeAgain) {
  ConnectWithAckWait(milliseconds(1000));
  PublishNumbers(1, 6);
  raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
            R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"explicit","filter_subject":"a",)"
            R"("ack_wait":1000000000,"max_ack_pending":100,"deliver_policy":"all"}})");
  for (int i = 0; i < 5; ++i) (void)raw_.Call("CONSUMER.MSG.NEXT.kps-a.+s+a", "1");
  raw_.Publish("$JS.ACK.kps-a.+s+a.1.2.2.0.0", "+ACK");
  EXPECT_TRUE(Eventually([&] { return AckPending() == 4; }));
  auto subscription = Subscribe();
  std::set<std::string> received;
  for (int i = 0; i < 5; ++i) received.insert(MustReceive(subscription.get()));
  EXPECT_THAT(received, testing::ElementsAre("1", "3", "4", "5", "6"));
}

TEST_F(JetStreamSubscribeTest, WhatAnotherHostHoldsIsNotWaitedForForEver) {
  Connect();
  auto holder = Subscribe();
  PublishNumbers(1, 2);
  ExpectNumbers(holder.get(), 1, 2);
  auto other = Subscribe();  // what it asks for may come to either
  PublishNumbers(3, 3);
  EXPECT_TRUE(Eventually([&] {
    const auto one = holder->Receive(milliseconds(10));
    const auto two = other->Receive(milliseconds(10));
    return (one.ok() && one.value().envelope == "3") || (two.ok() && two.value().envelope == "3");
  }));
}

TEST_F(JetStreamSubscribeTest, AnAcknowledgeIsForEverythingUpToItsReceipt) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 100);
  ExpectNumbers(subscription.get(), 1, 100);
  EXPECT_EQ(AckPending(), 100);
  subscription->Acknowledge(60);
  EXPECT_TRUE(Eventually([&] { return AckPending() == 40; }));
  subscription->Acknowledge(50);
  subscription->Acknowledge(100);
  EXPECT_TRUE(Eventually([&] { return AckPending() == 0; }));
}

TEST_F(JetStreamSubscribeTest, WhatIsReturnedComesAgainUnderNewReceipts) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 6);
  ExpectNumbers(subscription.get(), 1, 4);
  subscription->Acknowledge(1);
  for (int returned = 0; returned < 3; ++returned) {
    EXPECT_TRUE(subscription->Return());
    ExpectNumbers(subscription.get(), 2, 4);
  }
  ExpectNumbers(subscription.get(), 5, 6);
  subscription->Acknowledge(4 + 3 * 3);  // all but the last two
  EXPECT_TRUE(Eventually([&] { return AckPending() == 2; }));
}

TEST_F(JetStreamSubscribeTest, WhatIsHeldForLongerThanTheAckWaitIsNotDeliveredAgain) {
  ConnectWithAckWait(milliseconds(1000));
  auto slow = Subscribe();
  PublishNumbers(1, 3);
  ExpectNumbers(slow.get(), 1, 1);  // and the others have arrived, or are about to
  EXPECT_TRUE(Eventually([&] { return AckPending() == 3; }));
  EXPECT_FALSE(Eventually([&] { return Count("num_redelivered") > 0; }, milliseconds(3500)));
  slow->Acknowledge(1);
  ExpectNumbers(slow.get(), 2, 3);
}

TEST_F(JetStreamSubscribeTest, AConsumerThatIsThereGetsTheAckWaitOfTheOptions) {
  Connect();
  (void)Subscribe();
  EXPECT_THAT(raw_.Call("CONSUMER.INFO.kps-a.+s+a"), testing::HasSubstr(R"("ack_wait":10000000000)"));
  PublishNumbers(1, 3);
  ConnectWithAckWait(std::chrono::seconds(60));
  auto subscription = Subscribe();
  EXPECT_THAT(raw_.Call("CONSUMER.INFO.kps-a.+s+a"), testing::HasSubstr(R"("ack_wait":60000000000)"));
  ExpectNumbers(subscription.get(), 1, 3);
}

TEST_F(JetStreamSubscribeTest, AConsumerThatMayNotBeChangedKeepsItsAckWait) {
  Connect();
  (void)Subscribe();
  PublishNumbers(1, 3);
  ConnectWithout("$JS.API.CONSUMER.DURABLE.CREATE.>", std::chrono::seconds(60));
  ExpectNumbers(Subscribe().get(), 1, 3);
  RawNats raw("nats://u:p@127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_THAT(raw.Call("CONSUMER.INFO.kps-a.+s+a"), testing::HasSubstr(R"("ack_wait":10000000000)"));
}

TEST_F(JetStreamSubscribeTest, WhatIsHeldIsBoundedInMessages) {
  JetStreamOptions options;
  options.pending_messages_max = 100;
  Connect(options);
  auto subscription = Subscribe();
  PublishNumbers(1, 1000);
  ExpectNumbers(subscription.get(), 1, 100);
  ExpectNothing(subscription.get());
  EXPECT_EQ(AckPending(), 100);
  for (int i = 0; i < 18; ++i) {
    subscription->Acknowledge(50 * (i + 1));
    ExpectNumbers(subscription.get(), 101 + 50 * i, 150 + 50 * i);
  }
}

TEST_F(JetStreamSubscribeTest, WhatIsHeldIsBoundedInBytes) {
  server_.Stop();
  server_.Configure("max_payload: 32768\n" + JetStreamConfig());
  server_.Start();
  Connect({}, 200'000);
  PublishNumbers(1, 100, "a", 10'000);
  auto subscription = Subscribe();
  int received = 0;
  while (subscription->Receive(milliseconds(300)).ok()) ++received;
  EXPECT_GE(received, 10);
  EXPECT_LE(received, 20);
  for (int more = 1; more > 0;) {
    subscription->Acknowledge(static_cast<std::uint64_t>(received));
    for (more = 0; subscription->Receive(milliseconds(300)).ok(); ++more) {
    }
    received += more;
  }
  EXPECT_EQ(received, 100);
}

TEST_F(JetStreamSubscribeTest, AMessageAsLargeAsTheServerTakesFitsIntoTheSmallestBound) {
  Connect({}, 1000);
  PublishNumbers(1, 5, "a", 1'000'000);
  auto subscription = Subscribe();
  for (int i = 1; i <= 5; ++i) {
    ExpectNumbers(subscription.get(), i, i);
    subscription->Acknowledge(static_cast<std::uint64_t>(i));
  }
}

TEST_F(JetStreamSubscribeTest, ADrainReturnsWhatWasReceivedAndGivesTheRestBackAtOnce) {
  JetStreamOptions options;
  options.pending_messages_max = 10;
  Connect(options);
  auto subscription = Subscribe();
  PublishNumbers(1, 30);
  ExpectNumbers(subscription.get(), 1, 4);
  subscription->Drain();
  Code end = Code::kOk;
  const auto rest = ReceiveAll(subscription.get(), kDeadline, &end);
  EXPECT_EQ(end, Code::kCancelled);
  EXPECT_LE(rest.size(), 6u);
  subscription->Acknowledge(4);
  subscription.reset();
  subscription = Subscribe();
  for (int i = 5; i <= 14; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(AckPending(), 10);
}

TEST_F(JetStreamSubscribeTest, AWildcardIsServedByAStreamThatHoldsAllOfIt) {
  raw_.CreateStream("all", "\"a.>\"");
  Connect();
  auto subscription = Subscribe("s", "a.*.c");
  PublishNumbers(1, 1, "a.b.c");
  PublishNumbers(2, 2, "a.b.d");
  PublishNumbers(3, 3, "a.x.c");
  EXPECT_EQ(MustReceive(subscription.get()), "1");
  EXPECT_EQ(MustReceive(subscription.get()), "3");
  ExpectNothing(subscription.get());
}

TEST_F(JetStreamSubscribeTest, AWildcardOverSeveralStreamsIsRefusedWithTheirNames) {
  raw_.CreateStream("one", "\"a.b\"");
  Connect();
  const auto part = transport_->Subscribe("a.*", "s");
  EXPECT_EQ(part.error().code(), Code::kUnavailable);
  EXPECT_THAT(part.error().message(), HasSubstr("the stream one holds only a part of it"));
  raw_.CreateStream("two", "\"a.c\"");
  EXPECT_THAT(transport_->Subscribe("a.*", "s").error().message(),
              AllOf(HasSubstr("several streams"), HasSubstr("one"), HasSubstr("two")));
}

TEST_F(JetStreamSubscribeTest, NamesThatJetStreamHasToKnowInOtherWordsAreGoodForMessagesAndAcknowledgements) {
  Connect();
  auto subscription = Subscribe("line 1/out", "a.*");
  PublishNumbers(1, 3, "a.b");
  ExpectNumbers(subscription.get(), 1, 3);
  subscription->Acknowledge(3);
  EXPECT_TRUE(Eventually([&] {
    return raw_.Call("CONSUMER.INFO.kps-a=~2A.+line~201~2Fout+a=~2A").find("\"num_ack_pending\":0,") !=
           std::string::npos;
  }));
}

TEST_F(JetStreamSubscribeTest, AStreamThatChangesItsChannelWithinOneJetStreamStreamStartsWithTheNewOne) {
  raw_.CreateStream("k", "\"k.>\"");
  Connect();
  PublishNumbers(1, 2, "k.a");
  PublishNumbers(11, 12, "k.b");
  auto subscription = Subscribe("s", "k.a");
  ExpectNumbers(subscription.get(), 1, 2);
  subscription->Acknowledge(2);
  subscription.reset();
  subscription = Subscribe("s", "k.b");
  ExpectNumbers(subscription.get(), 11, 12);
}

TEST_F(JetStreamSubscribeTest, AConsumerOfSomebodyElseIsNotUsed) {
  raw_.CreateStream("kps-a", "\"a\"");
  raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
            R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"all","deliver_policy":"all"}})");
  Connect();
  EXPECT_THAT(transport_->Subscribe("a", "s").error().message(), HasSubstr("it is not one of this host"));
}

TEST_F(JetStreamSubscribeTest, AConsumerThatWasChangedSoThatItLosesMessagesIsNotUsedUntilItIsSetRight) {
  Connect();
  (void)Subscribe();
  const std::pair<const char*, const char*> changes[] = {
      {R"("max_deliver":2)", "set max_deliver to -1"},
      {R"("headers_only":true)", "set headers_only to false"},
  };
  for (const auto& [change, advice] : changes) {
    ChangeConsumer(change);
    const auto refused = transport_->Subscribe("a", "s");
    ASSERT_FALSE(refused.ok()) << change;
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("the consumer +s+a of stream kps-a"), HasSubstr(advice)));
  }
  ChangeConsumer(R"("max_deliver":-1,"headers_only":false)");
  PublishNumbers(1, 1);
  ExpectNumbers(Subscribe().get(), 1, 1);
}

TEST_F(JetStreamSubscribeTest, TheLimitsOfAConsumerAreKept) {
  Connect();
  (void)Subscribe();
  ChangeConsumer(R"("max_batch":10,"max_bytes":2000,"max_expires":200000000)");
  auto subscription = Subscribe();
  PublishNumbers(1, 300, "a", 100);
  ExpectNumbers(subscription.get(), 1, 300);
  ExpectNothing(subscription.get(), milliseconds(500));  // some requests end without a message
  PublishNumbers(301, 310);
  ExpectNumbers(subscription.get(), 301, 310);
}

TEST_F(JetStreamSubscribeTest, LimitsThatAConsumerGetsMeanwhileAreKept) {
  JetStreamOptions options;
  options.pending_messages_max = 40;
  Connect(options);
  auto subscription = Subscribe();
  PublishNumbers(1, 100);
  ExpectNumbers(subscription.get(), 1, 40);
  ChangeConsumer(R"("max_batch":5,"max_bytes":2000,"max_expires":200000000)");
  for (int i = 40; i < 100; i += 20) {
    subscription->Acknowledge(static_cast<std::uint64_t>(i));
    ExpectNumbers(subscription.get(), i + 1, i + 20);
  }
}

TEST_F(JetStreamSubscribeTest, AMessageThatTheConsumersLimitNeverLetsThroughIsShown) {
  Connect();
  (void)Subscribe();
  ChangeConsumer(R"("max_bytes":2000)");
  auto subscription = Subscribe();
  PublishNumbers(1, 1, "a", 5000);
  const Error shown = subscription->Receive(kDeadline).error();
  EXPECT_EQ(shown.code(), Code::kUnavailable);
  EXPECT_THAT(shown.message(), AllOf(HasSubstr("the consumer +s+a of stream kps-a"), HasSubstr("Exceeds MaxBytes")));
  ChangeConsumer(R"("max_bytes":20000)");
  subscription.reset();
  subscription = Subscribe();
  ExpectNumbers(subscription.get(), 1, 1);
}

TEST_F(JetStreamSubscribeTest, RequestsThatTheServerDoesNotPermitAreAnError) {
  ConnectWithout("$JS.API.CONSUMER.MSG.NEXT.>");
  auto subscription = Subscribe();
  const Error error = subscription->Receive(kDeadline).error();
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_THAT(error.message(), HasSubstr("does not permit to publish to $JS.API.CONSUMER.MSG.NEXT.kps-a.+s+a: give"));
}

TEST_F(JetStreamSubscribeTest, AcknowledgmentsThatTheServerDoesNotPermitAreAnErrorAndLoggedOnce) {
  ConnectWithout("$JS.ACK.>");
  auto subscription = Subscribe();
  PublishNumbers(1, 10);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(10);
  Error error;
  EXPECT_TRUE(Eventually([&] {
    error = subscription->Receive(milliseconds(10)).error();
    return error.code() == Code::kPermissionDenied;
  }));
  EXPECT_THAT(error.message(), HasSubstr("does not permit to publish to $JS.ACK.kps-a.+s+a.>: give"));
  EXPECT_EQ(subscription->Receive(milliseconds(10)).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(logger_.CountWith("Permissions Violation"), 1u);
}

TEST_F(JetStreamSubscribeTest, AConsumerThatIsDeletedIsMadeAgainAndWhatWasAcknowledgedDoesNotComeAgain) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 10);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(10);
  raw_.Call("CONSUMER.DELETE.kps-a.+s+a");
  PublishNumbers(11, 12);
  ExpectNumbers(subscription.get(), 11, 12);
}

TEST_F(JetStreamSubscribeTest, AStreamThatIsMadeAnewBringsItsMessagesThoughTheirNumbersWereSeen) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 10);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(8);
  raw_.Call("STREAM.DELETE.kps-a");
  PublishNumbers(101, 110);
  ExpectNumbers(subscription.get(), 101, 110);
  subscription->Acknowledge(10);  // the last two of the former stream: nothing is said of those here
  EXPECT_TRUE(Eventually([&] { return AckPending() == 10; }));
  subscription->Acknowledge(20);
  EXPECT_TRUE(Eventually([&] { return AckPending() == 0; }));
}

}  // namespace
}  // namespace kps::test
