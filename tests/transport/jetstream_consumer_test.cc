// Which streams and consumers of JetStream a subscription takes, makes and refuses, also when they change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/jetstream_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

using JetStreamConsumerTest = JetStreamSubscriptionTest;

TEST_F(JetStreamConsumerTest, AConsumerThatIsThereGetsTheAckWaitOfTheOptions) {
  Connect();
  (void)Subscribe();
  EXPECT_THAT(raw_.Call("CONSUMER.INFO.kps-a.+s+a"), HasSubstr(R"("ack_wait":10000000000)"));
  PublishNumbers(1, 3);
  ConnectWithAckWait(std::chrono::seconds(60));
  auto subscription = Subscribe();
  EXPECT_THAT(raw_.Call("CONSUMER.INFO.kps-a.+s+a"), HasSubstr(R"("ack_wait":60000000000)"));
  ExpectNumbers(subscription.get(), 1, 3);
}

TEST_F(JetStreamConsumerTest, AConsumerThatMayNotBeChangedKeepsItsAckWait) {
  Connect();
  (void)Subscribe();
  PublishNumbers(1, 3);
  ConnectWithout("$JS.API.CONSUMER.DURABLE.CREATE.>", std::chrono::seconds(60));
  ExpectNumbers(Subscribe().get(), 1, 3);
  RawNats raw("nats://u:p@127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_THAT(raw.Call("CONSUMER.INFO.kps-a.+s+a"), HasSubstr(R"("ack_wait":10000000000)"));
}

TEST_F(JetStreamConsumerTest, AWildcardIsServedByAStreamThatHoldsAllOfIt) {
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

TEST_F(JetStreamConsumerTest, AWildcardOverSeveralStreamsIsRefusedWithTheirNames) {
  raw_.CreateStream("one", "\"a.b\"");
  Connect();
  const auto part = transport_->Subscribe("a.*", "s");
  EXPECT_EQ(part.error().code(), Code::kUnavailable);
  EXPECT_THAT(part.error().message(), HasSubstr("the stream one holds only a part of it"));
  raw_.CreateStream("two", "\"a.c\"");
  EXPECT_THAT(transport_->Subscribe("a.*", "s").error().message(),
              AllOf(HasSubstr("several streams"), HasSubstr("one"), HasSubstr("two")));
}

TEST_F(JetStreamConsumerTest, NamesThatJetStreamHasToKnowInOtherWordsAreGoodForMessagesAndAcknowledgements) {
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

TEST_F(JetStreamConsumerTest, AStreamThatChangesItsChannelWithinOneJetStreamStreamStartsWithTheNewOne) {
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

TEST_F(JetStreamConsumerTest, AConsumerOfSomebodyElseIsNotUsed) {
  raw_.CreateStream("kps-a", "\"a\"");
  raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
            R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"all","deliver_policy":"all"}})");
  Connect();
  EXPECT_THAT(transport_->Subscribe("a", "s").error().message(), HasSubstr("it is not one of this host"));
}

TEST_F(JetStreamConsumerTest, AConsumerThatWasChangedSoThatItLosesMessagesIsNotUsedUntilItIsSetRight) {
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

TEST_F(JetStreamConsumerTest, TheLimitsOfAConsumerAreKept) {
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

TEST_F(JetStreamConsumerTest, LimitsThatAConsumerGetsMeanwhileAreKept) {
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

TEST_F(JetStreamConsumerTest, AMessageThatTheConsumersLimitNeverLetsThroughIsShown) {
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

TEST_F(JetStreamConsumerTest, RequestsThatTheServerDoesNotPermitAreAnError) {
  ConnectWithout("$JS.API.CONSUMER.MSG.NEXT.>");
  auto subscription = Subscribe();
  const Error error = subscription->Receive(kDeadline).error();
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_THAT(error.message(), HasSubstr("does not permit to publish to $JS.API.CONSUMER.MSG.NEXT.kps-a.+s+a: give"));
}

TEST_F(JetStreamConsumerTest, AcknowledgmentsThatTheServerDoesNotPermitAreAnErrorAndLoggedOnce) {
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

TEST_F(JetStreamConsumerTest, AConsumerThatIsDeletedIsMadeAgainAndWhatWasAcknowledgedDoesNotComeAgain) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 10);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(10);
  raw_.Call("CONSUMER.DELETE.kps-a.+s+a");
  PublishNumbers(11, 12);
  ExpectNumbers(subscription.get(), 11, 12);
}

TEST_F(JetStreamConsumerTest, AStreamThatIsMadeAnewBringsItsMessagesThoughTheirNumbersWereSeen) {
  Connect();
  auto subscription = Subscribe();
  PublishNumbers(1, 10);
  ExpectNumbers(subscription.get(), 1, 10);
  subscription->Acknowledge(8);
  raw_.Call("STREAM.DELETE.kps-a");
  PublishNumbers(101, 110);
  ExpectNumbers(subscription.get(), 101, 110);
  EXPECT_EQ(logger_.CountWith("the stream kps-a of channel a is another than before"), 1u);
  subscription->Acknowledge(10);  // the last two of the former stream: nothing is said of those here
  EXPECT_TRUE(Eventually([&] { return AckPending() == 10; }));
  subscription->Acknowledge(20);
  EXPECT_TRUE(Eventually([&] { return AckPending() == 0; }));
}

}  // namespace
}  // namespace kps::test
