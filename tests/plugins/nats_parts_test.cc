// Parts of the plugin nats that decide, without a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugins/nats/jetstream_backlog.h"
#include "plugins/nats/jetstream_delivery.h"
#include "plugins/nats/jetstream_requests.h"
#include "plugins/nats/sequence_set.h"
#include "plugins/nats/unconfirmed_messages.h"

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Clock = JetStreamBacklog::Clock;
using Arrival = JetStreamBacklog::Arrival;

NatsMessage message(uint64_t sequence, uint64_t delivery) {
  natsMsg* raw = nullptr;
  const std::string reply =
      "$JS.ACK.S.C.1." + std::to_string(sequence) + "." + std::to_string(delivery) + ".1700000000000000000.0";
  EXPECT_EQ(natsMsg_Create(&raw, "t", reply.c_str(), "data", 4), NATS_OK);
  return NatsMessage(raw);
}

class NatsBacklogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_EQ(nats_Open(-1), NATS_OK); }
  Arrival add(uint64_t sequence, uint64_t delivery = 7) { return backlog.add(message(sequence, delivery), now); }
  std::vector<uint64_t> take_all(uint64_t token = 1) {
    std::vector<uint64_t> sequences;
    while (backlog.front(now) != nullptr) sequences.push_back(backlog.take(token).delivery.sequence);
    return sequences;
  }
  const Clock::time_point now = Clock::now();
  JetStreamBacklog backlog;
};

TEST_F(NatsBacklogTest, WhatIsHereOrAcknowledgedIsNotTakenAgain) {
  EXPECT_EQ(add(1), Arrival::kNew);
  EXPECT_EQ(add(2), Arrival::kNew);
  EXPECT_EQ(add(1), Arrival::kHere);
  EXPECT_THAT(take_all(), ElementsAre(1, 2));
  EXPECT_EQ(add(2), Arrival::kHere) << "the host has it";
  EXPECT_EQ(backlog.acknowledge(1).size(), 2u);
  EXPECT_EQ(add(2), Arrival::kAcknowledged);
}

TEST_F(NatsBacklogTest, AMessageOfAnotherThatDiedIsTakenThoughItIsOlder) {
  add(5);
  EXPECT_EQ(add(3), Arrival::kNew);
  EXPECT_THAT(take_all(), ElementsAre(5, 3));
}

TEST_F(NatsBacklogTest, WhatIsNewerWaitsForWhatIsExpected) {
  add(1);
  backlog.expect(2, 3, now + milliseconds(10));
  add(4);
  add(3);
  EXPECT_THAT(take_all(), ElementsAre(1));
  EXPECT_EQ(add(3), Arrival::kHere);
  add(2);
  EXPECT_THAT(take_all(), ElementsAre(2, 3, 4));
  EXPECT_EQ(backlog.due(), Clock::time_point::max());
}

TEST_F(NatsBacklogTest, WhatDoesNotComeIsWaitedForOnlySoLong) {
  backlog.expect(1, 3, now + milliseconds(10));
  add(4);
  EXPECT_EQ(backlog.front(now), nullptr);
  EXPECT_EQ(backlog.due(), now + milliseconds(10));
  ASSERT_NE(backlog.front(now + milliseconds(10)), nullptr);
  EXPECT_THAT(take_all(), ElementsAre(4));
}

TEST_F(NatsBacklogTest, TheGapNamesWhatIsNeitherHereNorAcknowledged) {
  add(1);
  add(2);
  (void)take_all();
  (void)backlog.acknowledge(1);
  add(4);
  const JetStreamBacklog::Gap gap = backlog.gap(1, 6);
  EXPECT_THAT(gap.acknowledged, ElementsAre(2));
  EXPECT_THAT(gap.missing, ElementsAre(3, 5, 6));
  EXPECT_EQ(gap.here, 1u);
}

TEST_F(NatsBacklogTest, AcknowledgesUpToTheToken) {
  add(1);
  (void)take_all(1);
  add(2);
  (void)take_all(2);
  EXPECT_EQ(backlog.acknowledge(1).size(), 1u);
  EXPECT_EQ(backlog.acknowledge(2).size(), 1u);
}

TEST_F(NatsBacklogTest, WhatARestartedServerHasForgottenIsUnknownUntilItComesAgain) {
  for (uint64_t i = 1; i <= 4; ++i) add(i, i + 10);
  (void)take_all(1);
  backlog.forget_deliveries_after(3, 12);  // 3 was delivered before, as another
  EXPECT_EQ(add(4, 13), Arrival::kHere);
  const auto items = backlog.acknowledge(1);
  ASSERT_EQ(items.size(), 4u);
  EXPECT_FALSE(items[0].unknown);
  EXPECT_FALSE(items[1].unknown);
  EXPECT_TRUE(items[2].unknown);
  EXPECT_FALSE(items[3].unknown);
  EXPECT_EQ(read_delivery(items[3].reply())->number, 13u);
  EXPECT_EQ(add(3, 14), Arrival::kAcknowledged);
}

TEST_F(NatsBacklogTest, AnotherStreamHasOtherMessagesUnderTheSameSequences) {
  add(1);
  (void)take_all(1);
  add(2);
  backlog.forget_sequences();
  EXPECT_EQ(add(1), Arrival::kNew);
  EXPECT_TRUE(backlog.acknowledge(1).empty()) << "of a stream that is gone";
  EXPECT_THAT(take_all(2), ElementsAre(2, 1));
  EXPECT_EQ(backlog.acknowledge(2).size(), 1u);
}

TEST(NatsDeliveryTest, TheReplySubjectOfOldAndNewServersIsRead) {
  const auto old_one = read_delivery("$JS.ACK.S.C.1.42.7.1700000000000000001.0");
  ASSERT_TRUE(old_one);
  EXPECT_EQ(old_one->sequence, 42u);
  EXPECT_EQ(old_one->number, 7u);
  EXPECT_EQ(old_one->stored_at_ns, 1700000000000000001);
  const auto new_one = read_delivery("$JS.ACK.domain.account.S.C.1.43.8.1700000000000000002.0.token");
  ASSERT_TRUE(new_one);
  EXPECT_EQ(new_one->sequence, 43u);
  for (const char* other : {"", "_INBOX.x", "$JS.ACK.S.C.1.x.7.1.0", "$JS.ACK.S.C.1.42.7"}) {
    EXPECT_FALSE(read_delivery(other)) << other;
  }
}

TEST(NatsRequestsTest, MoreIsAskedForAsMessagesComeAndAreTaken) {
  const auto now = Clock::now();
  JetStreamRequests requests;
  requests.begin({0, 0, 0, 1000});
  EXPECT_THAT(requests.next(0, 0, now).value(), HasSubstr("\"batch\":4096"));
  EXPECT_FALSE(requests.next(0, 0, now)) << "it is asked for already";
  for (int i = 0; i < 3000; ++i) requests.came(10);
  EXPECT_FALSE(requests.next(3000, 30000, now)) << "there is no room";
  EXPECT_THAT(requests.next(0, 0, now).value(), HasSubstr("\"batch\":3000"));
}

TEST(NatsRequestsTest, ARequestThatIsOverIsMadeAgain) {
  const auto now = Clock::now();
  JetStreamRequests requests;
  requests.begin({0, 0, 0, 1000});
  ASSERT_TRUE(requests.next(0, 0, now));
  requests.ended(false, now);
  EXPECT_TRUE(requests.next(0, 0, now));
  requests.ended(true, now);
  EXPECT_FALSE(requests.next(0, 0, now)) << "not at once after a refusal";
  EXPECT_EQ(requests.due(now), now + milliseconds(50));
  EXPECT_TRUE(requests.next(0, 0, now + milliseconds(50)));
  EXPECT_TRUE(requests.next(0, 0, now + std::chrono::seconds(7))) << "the server's word on it was lost";
}

TEST(NatsRequestsTest, TheConsumersLimitsAreKept) {
  JetStreamRequests requests;
  requests.begin({10, 5000, 1000000, 1000});
  EXPECT_EQ(requests.next(0, 0, Clock::now()).value(), R"({"batch":10,"max_bytes":5000,"expires":1000000})");
}

TEST(NatsRequestsTest, EveryRequestHasRoomForTheLargestMessage) {
  const auto now = Clock::now();
  constexpr uint64_t kLargest = 20u << 20;
  JetStreamRequests requests;
  requests.begin({0, 0, 0, kLargest});
  const std::string request = requests.next(0, 0, now).value();
  const uint64_t bytes = std::stoull(request.substr(request.find("\"max_bytes\":") + 12));
  EXPECT_GE(bytes, kLargest);
}

TEST(NatsSequenceSetTest, AddsInAnyOrder) {
  SequenceSet set;
  for (const uint64_t sequence : {5, 3, 4, 9, 1, 1}) set.add(sequence);
  for (const uint64_t sequence : {1, 3, 4, 5, 9}) EXPECT_TRUE(set.contains(sequence)) << sequence;
  for (const uint64_t sequence : {0, 2, 6, 8, 10}) EXPECT_FALSE(set.contains(sequence)) << sequence;
}

TEST(NatsUnconfirmedTest, ConfirmedInAnyOrderAndBounded) {
  UnconfirmedMessages messages;
  uint64_t count = 0;
  for (; messages.has_room(4); ++count) messages.add(("m" + std::to_string(count)).data(), 2);
  EXPECT_EQ(count, 16384u);
  EXPECT_EQ(messages.payload(1), "m0");
  messages.confirm(2);
  EXPECT_EQ(messages.first(), 1u);
  EXPECT_FALSE(messages.has_room(1));
  messages.confirm(1);
  EXPECT_EQ(messages.first(), 3u);
  EXPECT_TRUE(messages.has_room(1));
  messages.confirm_before(messages.end());
  EXPECT_TRUE(messages.empty());
  messages.add("", 0);
  EXPECT_TRUE(messages.has_room(16u << 20));
  messages.add(std::string(16u << 20, 'x').data(), 16u << 20);
  EXPECT_FALSE(messages.has_room(1));
}

}  // namespace
}  // namespace kps::plugins
