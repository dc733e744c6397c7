// What a durable JetStream consumer delivers, and delivers again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/transport/jetstream_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

using JetStreamSubscribeTest = JetStreamSubscriptionTest;

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

}  // namespace
}  // namespace kps::test
