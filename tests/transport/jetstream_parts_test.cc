// The parts of the NATS transport that need no server, most of them of JetStream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <set>
#include <tuple>

#include "host/transport/jetstream_backlog.h"
#include "host/transport/jetstream_names.h"
#include "host/transport/jetstream_wire.h"
#include "host/transport/nats_refusals.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(JetStreamNamesTest, AStreamsNameIsReadable) {
  EXPECT_EQ(JetStreamStreamName("kps", "sensors.temp_1-a"), "kps-sensors=temp_1-a");
  EXPECT_EQ(JetStreamStreamName("my.site", "a"), "my=site-a");
  EXPECT_EQ(JetStreamStreamName("kps", "a.*.>"), "kps-a=~2A=~3E");
  EXPECT_EQ(JetStreamConsumerName("conn 1", "out/1", "a.b"), "conn~201+out~2F1+a=b");
  EXPECT_EQ(JetStreamConsumerName("", "s", "a"), "+s+a");
}

TEST(JetStreamNamesTest, NoTwoChannelsHaveTheSameName) {
  const std::string channels[] = {"a.b",   "a=b", "a~3Db", "a_b",  "a-b",     "a~b",
                                  "a~7Eb", "A.b", "a b",   "a.b.", "\xC3\xA4"};
  std::set<std::string> names;
  for (const std::string& channel : channels) names.insert(JetStreamStreamName("kps", channel));
  EXPECT_EQ(names.size(), std::size(channels));
  EXPECT_NE(JetStreamConsumerName("a", "b+c", "d"), JetStreamConsumerName("a+b", "c", "d"));
  EXPECT_NE(JetStreamConsumerName("a", "b", "c+d"), JetStreamConsumerName("a", "b+c", "d"));
}

TEST(JetStreamNamesTest, ALongNameIsShortenedAndStaysItsOwn) {
  const std::string one = JetStreamStreamName("kps", std::string(1000, 'x') + "1");
  const std::string other = JetStreamStreamName("kps", std::string(1000, 'x') + "2");
  EXPECT_LE(one.size(), 200u);
  EXPECT_NE(one, other);
  EXPECT_EQ(one.substr(0, 100), other.substr(0, 100));
}

TEST(SubjectCoversTest, APatternCoversWhatMeansNoMore) {
  for (const auto& [pattern, channel] : {std::pair("a.b", "a.b"),
                                         {"a.*", "a.b"},
                                         {"a.>", "a.b.c"},
                                         {">", "a"},
                                         {">", ">"},
                                         {"a.>", "a.*"},
                                         {"a.>", "a.>"},
                                         {"a.*", "a.*"},
                                         {"*.b", "a.b"}}) {
    EXPECT_TRUE(SubjectCovers(pattern, channel)) << pattern << " " << channel;
  }
  for (const auto& [pattern, channel] : {std::pair("a.b", "a.c"),
                                         {"a.b", "a.*"},
                                         {"a.*", "a.>"},
                                         {"a", "a.b"},
                                         {"a.b", "a"},
                                         {"a.>", "a"},
                                         {"*", "a.b"},
                                         {"a.*", ">"},
                                         {"a.b", "a.>"}}) {
    EXPECT_FALSE(SubjectCovers(pattern, channel)) << pattern << " " << channel;
  }
}

TEST(PubAckTest, OnlyWhatIsClearlyAYesIsOne) {
  for (const char* text : {R"({"stream":"S", "seq":1})", R"({"stream":"S","seq":7,"duplicate":true})",
                           R"({"seq":1,"stream":"S"})", R"({"stream":"a\"error\"b","seq":1})"}) {
    EXPECT_TRUE(ReadPubAck(text).stored) << text;
  }
  for (const char* text : {"", "+OK", "{}", R"({"stream":"S"})", R"({"seq":1})", R"({"stream":"S","seq":1)",
                           R"({"stream":"S","seq":1,"error":{"code":503}})", R"({"error":"x","stream":"S","seq":0})"}) {
    EXPECT_FALSE(ReadPubAck(text).stored) << text;
    EXPECT_NE(ReadPubAck(text).reason, "") << text;
  }
  const PubAck full = ReadPubAck(
      R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"S","seq":0})");
  EXPECT_EQ(full.error_code, 10077);
  EXPECT_EQ(full.reason, "maximum bytes exceeded");
}

TEST(DeliveredAsTest, BothFormsOfTheReplySubjectAreRead) {
  for (const char* reply :
       {"$JS.ACK.S.C.2.30.40.1700000000000000000.5", "$JS.ACK.D.H.S.C.2.30.40.1700000000000000000.5",
        "$JS.ACK.D.H.S.C.2.30.40.1700000000000000000.5.r"}) {
    const auto as = ReadDeliveredAs(reply);
    ASSERT_TRUE(as) << reply;
    EXPECT_EQ(as->attempt, 2u);
    EXPECT_EQ(as->stream_sequence, 30u);
    EXPECT_EQ(as->consumer_sequence, 40u);
    EXPECT_EQ(as->stored_at_ns, 1'700'000'000'000'000'000);
    std::string other = reply;
    EXPECT_EQ(ReplyOfOther(reply, 31), other.replace(other.find(".30."), 4, ".31."));
  }
  for (const char* reply :
       {"", "_INBOX.x", "$JS.ACK.S.C.2.30.40.5", "$JS.ACK.S.C.2.x.40.1.5", "$JS.ACK.S.C.2..40.1.5"}) {
    EXPECT_FALSE(ReadDeliveredAs(reply)) << reply;
  }
}

TEST(NatsRefusalsTest, TheSubjectIsReadOutOfTheServersWords) {
  using Of = NatsRefusal::Of;
  const std::tuple<const char*, Of, const char*> words[] = {
      {R"(Permissions Violation for Publish to "a.b")", Of::kPublish, "a.b"},
      {R"(Permissions Violation for Subscription to "a.*")", Of::kSubscribe, "a.*"},
      {R"(Permissions Violation for Subscription to "a" using queue "q")", Of::kSubscribe, "a"},
      {R"(permissions violation for subscription to "a" (sid "2"))", Of::kSubscribe, "a"},
  };
  for (const auto& [text, of, subject] : words) {
    const auto refusal = ReadNatsRefusal(text);
    ASSERT_TRUE(refusal.has_value()) << text;
    EXPECT_EQ(refusal->of, of) << text;
    EXPECT_EQ(refusal->subject, subject) << text;
  }
  EXPECT_FALSE(ReadNatsRefusal("Stale Connection").has_value());
}

TEST(NatsRefusalsTest, TheAcknowledgmentsOfAConsumerAreOneKindAndSaidOnceAMinute) {
  using std::chrono::seconds;
  constexpr auto kPublish = NatsRefusal::Of::kPublish;
  NatsRefusals refusals;
  const auto add = [&](const std::string& subject, seconds at) {
    return refusals.Add({kPublish, subject, ""}, NatsRefusals::Clock::time_point(at));
  };
  EXPECT_TRUE(add("$JS.ACK.s.c.1.1.1.5.0", seconds(0)));
  EXPECT_FALSE(add("$JS.ACK.s.c.2.7.8.9.0", seconds(59)));
  EXPECT_FALSE(add("$JS.ACK.domain.account.s.c.1.1.1.5.0", seconds(59)));
  EXPECT_TRUE(add("$JS.ACK.s.other.1.1.1.5.0", seconds(59)));
  EXPECT_TRUE(add("$JS.ACK.s.c.1.2.2.5.0", seconds(61)));
  EXPECT_TRUE(refusals.Since(4, kPublish, "$JS.ACK.s.c.>"));
  EXPECT_FALSE(refusals.Since(5, kPublish, "$JS.ACK.s.c.>"));
  EXPECT_FALSE(refusals.Since(4, kPublish, "$JS.ACK.s.other.>"));
  EXPECT_FALSE(refusals.Since(0, NatsRefusal::Of::kSubscribe, "$JS.ACK.s.c.>"));
}

TEST(NatsRefusalsTest, OnlyASubjectThatATextNamesIsItsReason) {
  NatsRefusals refusals;
  refusals.Add({NatsRefusal::Of::kPublish, "a", ""}, {});
  refusals.Add({NatsRefusal::Of::kPublish, "$JS.API.STREAM.NAMES", ""}, {});
  const std::string text = "no answer to $JS.API.STREAM.NAMES in time";
  EXPECT_EQ(refusals.NamedIn(text, 0), "the NATS server does not permit to publish to $JS.API.STREAM.NAMES");
  EXPECT_EQ(refusals.NamedIn(text, 2), "");
  EXPECT_EQ(refusals.NamedIn("a stream is full", 0), "");
}

TEST(NumberSetTest, RangesJoin) {
  NumberSet set;
  for (const std::uint64_t number : {5, 3, 4, 9, 7, 8, 3}) set.Add(number);
  for (std::uint64_t number = 1; number <= 10; ++number) {
    EXPECT_EQ(set.Contains(number), (number >= 3 && number <= 5) || (number >= 7 && number <= 9)) << number;
  }
  set.Add(6);
  EXPECT_TRUE(set.Contains(6));
  set.Clear();
  EXPECT_FALSE(set.Contains(6));
}

TEST(NumberSetTest, WithTooManyRangesTheLowestAreForgotten) {
  NumberSet set;
  for (std::uint64_t i = 1; i <= 20'000; ++i) set.Add(2 * i);
  EXPECT_FALSE(set.Contains(2));
  EXPECT_TRUE(set.Contains(40'000));
}

class BacklogTest : public testing::Test {
 protected:
  using Arrival = JetStreamBacklog::Arrival;
  static void SetUpTestSuite() { ASSERT_EQ(nats_Open(-1), NATS_OK); }  // else by the first connection
  // The message `sequence` of the stream, as the delivery `delivery` of its consumer.
  Arrival Add(int sequence, int delivery, int stored_at = 0, JetStreamBacklog::Clock::time_point now = {}) {
    natsMsg* message = nullptr;
    const std::string reply = "$JS.ACK.S.C.1." + std::to_string(sequence) + "." + std::to_string(delivery) + "." +
                              std::to_string(stored_at == 0 ? sequence : stored_at) + ".0";
    const std::string text = std::to_string(sequence);
    EXPECT_EQ(natsMsg_Create(&message, "a", reply.c_str(), text.data(), static_cast<int>(text.size())), NATS_OK);
    return backlog_.Add({message, natsMsg_Destroy}, now);
  }
  std::vector<std::uint64_t> TakeAll(JetStreamBacklog::Clock::time_point now = {}) {
    std::vector<std::uint64_t> taken;
    while (const auto* item = backlog_.Take(now)) taken.push_back(item->as.stream_sequence);
    return taken;
  }
  std::vector<std::string> Acknowledge(std::uint64_t receipt) {
    std::vector<std::string> told;
    backlog_.Acknowledge(receipt, [&](const char* reply) { told.emplace_back(reply); });
    return told;
  }
  void ExpectGap() {
    backlog_.ExpectGap([this](const std::string& reply) { wanted_.push_back(ReadDeliveredAs(reply)->stream_sequence); },
                       milliseconds(1000));
  }

  JetStreamBacklog backlog_;
  std::vector<std::uint64_t> wanted_;
};

TEST_F(BacklogTest, WhatIsHereOrWasDealtWithIsNotTakenTwice) {
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(Add(i, i), Arrival::kNew);
  EXPECT_THAT(TakeAll(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(Acknowledge(2).size(), 2u);
  EXPECT_EQ(Add(1, 5), Arrival::kAcknowledged);
  EXPECT_EQ(Add(3, 6), Arrival::kHere);
  EXPECT_THAT(TakeAll(), ElementsAre());
  EXPECT_EQ(backlog_.count(), 2u);
  EXPECT_EQ(backlog_.bytes(), 2u);
}

TEST_F(BacklogTest, NumbersThatAreGivenAnewAreOtherMessages) {
  for (int i = 1; i <= 4; ++i) Add(i, i);
  EXPECT_THAT(TakeAll(), ElementsAre(1, 2, 3, 4));
  Acknowledge(3);
  EXPECT_EQ(Add(3, 5, 100), Arrival::kNew);
  EXPECT_EQ(Add(4, 6, 101), Arrival::kNew);
  EXPECT_THAT(TakeAll(), ElementsAre(3, 4));
  EXPECT_EQ(Acknowledge(4).size(), 0u) << "the former 4";
  EXPECT_EQ(Acknowledge(6).size(), 2u);
}

TEST_F(BacklogTest, WhatIsMissingAfterALinkIsAskedForAndComesInItsOrder) {
  for (int i = 1; i <= 3; ++i) Add(i, i);
  ExpectGap();
  Add(6, 6);
  EXPECT_THAT(wanted_, ElementsAre(4, 5));
  Add(7, 7);
  EXPECT_THAT(TakeAll(), ElementsAre(1, 2, 3));
  Add(4, 8);
  EXPECT_THAT(TakeAll(), ElementsAre());
  Add(5, 9);
  EXPECT_THAT(TakeAll(), ElementsAre(4, 5, 6, 7));
  Add(10, 20);
  EXPECT_THAT(TakeAll(), ElementsAre(10)) << "later gaps are not of the link";
}

TEST_F(BacklogTest, WhatDoesNotComeIsNotWaitedForForEver) {
  for (int i = 1; i <= 3; ++i) Add(i, i);
  ExpectGap();
  const JetStreamBacklog::Clock::time_point start{};
  Add(6, 6, 0, start);
  EXPECT_THAT(TakeAll(start + milliseconds(999)), ElementsAre(1, 2, 3));
  EXPECT_THAT(TakeAll(start + milliseconds(1000)), ElementsAre(6));
}

TEST_F(BacklogTest, WithoutASkippedDeliveryNothingIsMissing) {
  for (int i = 1; i <= 3; ++i) Add(i, i);
  ExpectGap();
  Add(6, 4);  // the stream holds other channels, too
  EXPECT_THAT(TakeAll(), ElementsAre(1, 2, 3, 6));
  EXPECT_THAT(wanted_, ElementsAre());
}

TEST_F(BacklogTest, WhatWasSaidIsSaidAgainUnlessTheConsumerIsAnother) {
  for (int i = 1; i <= 3; ++i) Add(i, i);
  TakeAll();
  Acknowledge(2);
  std::size_t again = 0;
  const auto count = [&](const char*) { ++again; };
  backlog_.TellAgain(count);
  EXPECT_EQ(again, 2u);
  backlog_.ForgetDeliveries();
  backlog_.TellAgain(count);
  EXPECT_EQ(again, 2u);
  EXPECT_EQ(Acknowledge(3).size(), 0u) << "of the former consumer";
  EXPECT_EQ(Add(3, 1), Arrival::kAcknowledged);
}

TEST_F(BacklogTest, WhatARestartedServerHasForgottenIsNotToldToItBeforeItComesAgain) {
  for (int i = 1; i <= 6; ++i) Add(i, i + 10);
  TakeAll();
  Acknowledge(4);
  backlog_.ForgetDeliveriesAfter(5, 12);  // the deliveries of 3 and 4 were made before, as others
  std::vector<std::uint64_t> again;
  backlog_.TellAgain([&](const char* reply) { again.push_back(ReadDeliveredAs(reply)->stream_sequence); });
  EXPECT_THAT(again, ElementsAre(1, 2));
  EXPECT_EQ(Acknowledge(5).size(), 0u);
  EXPECT_EQ(Add(5, 13), Arrival::kAcknowledged);
  EXPECT_EQ(Add(6, 14), Arrival::kHere);
  EXPECT_EQ(backlog_.count(), 1u);
  EXPECT_THAT(Acknowledge(6), ElementsAre("$JS.ACK.S.C.1.6.14.6.0")) << "as it came now";
  backlog_.ForgetDeliveriesAfter(6, 14);
  again.clear();
  backlog_.TellAgain([&](const char* reply) { again.push_back(ReadDeliveredAs(reply)->consumer_sequence); });
  EXPECT_THAT(again, ElementsAre(11, 12, 14));
}

TEST_F(BacklogTest, WhatIsNoDeliveryIsForeign) {
  natsMsg* message = nullptr;
  ASSERT_EQ(natsMsg_Create(&message, "a", "_INBOX.x", "x", 1), NATS_OK);
  EXPECT_EQ(backlog_.Add({message, natsMsg_Destroy}, {}), Arrival::kForeign);
  EXPECT_EQ(backlog_.count(), 0u);
}

}  // namespace
}  // namespace kps::test
