// What cannot be delivered, and the account of everything that was accepted.
#include "host/core/ledger.h"

#include <gmock/gmock.h>

#include "host/core/channel.h"
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using OnUndeliverable = FailurePolicy::OnUndeliverable;

class LedgerTest : public RuntimeTest {
 public:
  void Use(FailurePolicy policy) {
    policy_ = std::move(policy);
    Start();
  }
  // A figure of a stream, by the name of its family without kps_stream_; of a reason where there is one.
  double Figure(const std::string& stream, const std::string& name, const std::string& reason = "") {
    const std::int64_t now_ns = clock_.Now().time_since_epoch().count();
    for (const MetricFamily& family : runtime_->ledgers().Families(now_ns)) {
      if (family.name != "kps_stream_" + name) continue;
      for (const MetricSample& sample : family.samples) {
        if (sample.labels[0].second != stream || (!reason.empty() && sample.labels[2].second != reason)) continue;
        return family.type == MetricType::kHistogram ? static_cast<double>(sample.histogram.count) : sample.value;
      }
    }
    return -1;
  }
  // delivered, dead-lettered, dropped for the reason, returned, in flight; the sum is what was accepted.
  using Account = std::vector<double>;
  Account Of(const std::string& stream, const std::string& reason = "undeliverable") {
    return {Figure(stream, "delivered_total"), Figure(stream, "dead_lettered_total"),
            Figure(stream, "dropped_total", reason), Figure(stream, "returned_total"), Figure(stream, "in_flight")};
  }
  bool Becomes(const Account& expected, const std::string& stream, const std::string& reason = "undeliverable") {
    const bool becomes = Eventually([&] { return Of(stream, reason) == expected; });
    EXPECT_THAT(Of(stream, reason), testing::ContainerEq(expected));
    return becomes;
  }
  void Read(const std::string& payload) {
    world_.Do([&] { world_.source.push_back(payload); });
  }
  std::string AlertText(const std::string& stream) {
    const auto alert = Find(kMessageUndeliverable, stream);
    return alert ? alert->metadata_json : "";
  }
};

TEST_F(LedgerTest, IngressIsInFlightUntilItIsConfirmed) {
  world_.Do([&] { world_.confirming = false; });
  ASSERT_TRUE(Set({kIn}).error.ok());
  Read("a");
  Read("b");
  EXPECT_TRUE(Becomes({0, 0, 0, 0, 2}, "in"));
  EXPECT_GT(Figure("in", "window_use"), 0);
  EXPECT_TRUE(Eventually([&] { return Figure("in", "oldest_in_flight_seconds") > 0; }));
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Becomes({2, 0, 0, 0, 0}, "in"));
  EXPECT_EQ(Figure("in", "accepted_total"), 2);
  EXPECT_EQ(Figure("in", "oldest_in_flight_seconds"), 0);
  EXPECT_EQ(Figure("in", "window_use"), 0);
  EXPECT_EQ(Figure("in", "batch_messages"), 2);
  EXPECT_EQ(Figure("in", "latency_seconds"), 2);
}

TEST_F(LedgerTest, WhatAConsumerGaveStaysOnItsWayWhenTheConsumerIsAnother) {
  drain_timeout_ = std::chrono::milliseconds(50);
  Start();
  world_.Do([&] {
    world_.confirming = false;
    world_.source = {"a", "b"};
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  world_.Do([&] { world_.next_errors = {Error(Code::kDataLoss, "gone")}; });
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  EXPECT_EQ(Of("in"), (Account{0, 0, 0, 0, 2}));
  world_.Do([&] { world_.confirming = true; });
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Becomes({2, 0, 0, 0, 0}, "in"));
  Read("c");
  EXPECT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  EXPECT_EQ(Created(), (Texts{"in@", "in@2"}));
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 3; }));
  EXPECT_EQ(world_.Do([&] { return world_.acks.size(); }), 1u) << "the new consumer knows no token of the old one";
}

TEST_F(LedgerTest, AMessageThatTheTransportNeverTakesIsDroppedAndTheRestGoesOn) {
  world_.Do([&] { world_.publish_errors = {Error(Code::kInvalidArgument, "2 MiB is too large")}; });
  ASSERT_TRUE(Set({kIn}).error.ok());
  Read("a");
  Read("b");
  EXPECT_TRUE(Becomes({1, 0, 1, 0, 0}, "in", "too_large"));
  EXPECT_EQ(Published(), Texts{"b"});
  EXPECT_THAT(AlertText("in"), testing::HasSubstr("2 MiB is too large: dropped; 1 so far"));
}

TEST_F(LedgerTest, OrItBlocksItsStreamWhenThatIsThePolicy) {
  Use({.on_undeliverable = OnUndeliverable::kBlock});
  world_.Do([&] { world_.publish_errors = {Error(Code::kInvalidArgument, "2 MiB is too large")}; });
  ASSERT_TRUE(Set({kIn}).error.ok());
  Read("a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  EXPECT_EQ(Of("in", "too_large"), (Account{0, 0, 0, 0, 1}));
  // A change, and now the transport takes it.
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Becomes({1, 0, 0, 0, 0}, "in", "too_large"));
  EXPECT_EQ(Published(), Texts{"a"});
}

TEST_F(LedgerTest, EgressIsInFlightUntilItIsFlushed) {
  world_.Do([&] { world_.flush_error = Error(Code::kUnavailable, "disk away"); });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Becomes({0, 0, 0, 0, 1}, "out"));
  world_.Do([&] { world_.flush_error = {}; });
  EXPECT_TRUE(Becomes({1, 0, 0, 0, 0}, "out"));
  EXPECT_EQ(Figure("out", "latency_seconds"), 1);
  EXPECT_EQ(Figure("out", "oldest_in_flight_seconds"), 0);
}

TEST_F(LedgerTest, WhatTheProducerCanNeverTakeGoesToTheDeadLetterChannelWithItsReason) {
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "bad", "b"}) world_.Send("c", payload);
  EXPECT_TRUE(Becomes({2, 1, 0, 0, 0}, "out"));
  const auto dead = world_.Do([&] { return world_.published; });
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0], (std::pair<std::string, std::string>("c.dead", "bad")));
  EXPECT_THAT(world_.Do([&] { return world_.headers; }),
              testing::ElementsAre("Kps-Reason: never", "Kps-Attempts: 1", "Kps-Stream: out", "Kps-Channel: c"));
  EXPECT_THAT(AlertText("out"), testing::HasSubstr("never: sent to c.dead; 1 so far"));
}

TEST_F(LedgerTest, ADeadLetterWaitsForItsChannelAndNothingIsAcknowledgedBefore) {
  world_.Do([&] {
    world_.keeping = true;
    world_.refused = "bad";
    world_.publish_errors = {Error(Code::kUnavailable, "away"), Error(Code::kUnavailable, "away")};
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  EXPECT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  EXPECT_TRUE(world_.Do([&] { return world_.receipts; }).empty());
  EXPECT_TRUE(Becomes({0, 1, 0, 0, 0}, "out"));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  EXPECT_GE(Figure("out", "retries_total"), 2);
}

TEST_F(LedgerTest, EveryWaitAfterATransientErrorIsARetryAndNoOther) {
  world_.Do([&] {
    world_.source = {"a"};
    world_.create_errors = {Error(Code::kUnavailable, "away")};
    world_.next_errors = {Error(Code::kUnavailable, "away")};
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_TRUE(Becomes({1, 0, 0, 0, 0}, "in"));
  EXPECT_EQ(Figure("in", "retries_total"), 2);

  world_.Do([&] {
    world_.flush_errors = {Error(Code::kUnavailable, "away")};
    world_.produce_errors = {Error(Code::kUnavailable, "away"), Error(Code::kUnauthenticated, "who?")};
  });
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  EXPECT_EQ(Figure("out", "retries_total"), 1) << "nobody waits to try again after a permanent error";
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flush_errors.empty(); }); }));
  EXPECT_TRUE(Eventually([&] { return Figure("out", "retries_total") == 2; })) << "the flush";
}

TEST_F(LedgerTest, ADeadLetterThatIsTooLargeIsDropped) {
  world_.Do([&] {
    world_.refused = "bad";
    world_.publish_errors = {Error(Code::kInvalidArgument, "larger than max_payload")};
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  EXPECT_TRUE(Becomes({0, 0, 1, 0, 0}, "out", "too_large"));
  EXPECT_THAT(AlertText("out"), testing::HasSubstr("dropped, as larger than max_payload; 1 so far"));
}

TEST_F(LedgerTest, TheDeadLettersOfAWildcardGoWhereItDoesNotReach) {
  for (const auto& [channel, dead] : std::vector<std::pair<std::string, std::string>>{{"a.b", "a.b.dead"},
                                                                                      {"a.>", "dead.a"},
                                                                                      {"a.b.*.c", "dead.a.b"},
                                                                                      {">", "dead.letters"},
                                                                                      {"*", "dead.letters"}}) {
    EXPECT_EQ(DefaultDeadLetterChannel(channel), dead);
  }
}

TEST_F(LedgerTest, ADeadLetterChannelThatTheStreamItselfReadsIsRefused) {
  Use({.dead_letter_channel = "a.b"});
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({{"out", Direction::kEgress, "a.*", "{}"}}).error.ok());
  world_.Send("a.*", "bad");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  EXPECT_THAT(Find(kStreamFailed, "out")->metadata_json, testing::HasSubstr("set --dead-letter-channel to another"));
  EXPECT_EQ(Of("out"), (Account{0, 0, 0, 0, 1}));
}

TEST_F(LedgerTest, WhatIsNoEnvelopeIsADeadLetterAsItCame) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Do([&] { world_.inbox["c"].push_back("no envelope"); });
  EXPECT_TRUE(Becomes({0, 1, 0, 0, 0}, "out"));
  EXPECT_EQ(world_.Do([&] { return world_.raw_published; }), Texts{"no envelope"});
  EXPECT_TRUE(Has(kEnvelopeMalformed, "out"));
}

TEST_F(LedgerTest, ManyUndeliverableMessagesAreCountedButNotLoggedOneByOne) {
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (int i = 0; i < 1000; ++i) world_.Send("c", "bad");
  EXPECT_TRUE(Becomes({0, 1000, 0, 0, 0}, "out"));
  // It is raised after the message was counted.
  EXPECT_TRUE(Eventually([&] { return AlertText("out").find("1000 so far") != std::string::npos; }))
      << AlertText("out");
  const auto lines = world_.Do([&] {
    return std::count_if(world_.log.begin(), world_.log.end(),
                         [](const std::string& line) { return line.find("can never be delivered") != line.npos; });
  });
  EXPECT_GE(lines, 1);
  EXPECT_LT(lines, 100) << "one a second";
}

TEST_F(LedgerTest, DroppedWhenThatIsThePolicy) {
  Use({.on_undeliverable = OnUndeliverable::kDrop});
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  EXPECT_TRUE(Becomes({0, 0, 1, 0, 0}, "out"));
  world_.Do([&] { world_.inbox["c"].push_back("no envelope"); });
  EXPECT_TRUE(Becomes({0, 0, 1, 0, 0}, "out", "malformed"));
  EXPECT_TRUE(Published().empty());
}

TEST_F(LedgerTest, BlockedWhenThatIsThePolicyUntilTheProducerTakesIt) {
  Use({.on_undeliverable = OnUndeliverable::kBlock});
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  world_.Send("c", "b");
  EXPECT_EQ(Of("out"), (Account{0, 0, 0, 0, 1}));
  world_.Do([&] { world_.refused.clear(); });
  ASSERT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Comes({"bad", "b"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Becomes({2, 0, 0, 0, 0}, "out"));
}

TEST_F(LedgerTest, AMessageIsUndeliverableAfterItsAttempts) {
  Use({.attempts_max = 3});
  const Error away(Code::kUnavailable, "away");
  world_.Do([&] { world_.produce_errors = {away, away, Error(), away, away, away}; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "taken at the third");
  ASSERT_TRUE(Comes({"taken at the third"}, &RuntimeTest::Produced));
  world_.Send("c", "never taken");
  EXPECT_TRUE(Becomes({1, 1, 0, 0, 0}, "out"));
  EXPECT_THAT(world_.Do([&] { return world_.headers; }), testing::Contains("Kps-Attempts: 3"));
}

TEST_F(LedgerTest, WhatIsFetchedAgainWasReturned) {
  const Error wrong(Code::kFailedPrecondition, "wrong table");
  world_.Do([&] {
    world_.keeping = true;
    world_.flush_errors = {wrong};
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Becomes({1, 0, 0, 1, 0}, "out"));
}

TEST_F(LedgerTest, WhatCouldNotBeFlushedComesAgainAlsoToASubscriptionThatIsMadeAnew) {
  world_.Do([&] {
    world_.keeping = true;
    world_.receive_errors = {Error(), Error(Code::kPermissionDenied, "no longer")};
    world_.flush_errors = {Error(Code::kUnavailable, "disk away")};
  });
  world_.Send("c", "a");
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}).error.ok());
  EXPECT_TRUE(Becomes({0, 0, 0, 1, 0}, "out"));
}

TEST_F(LedgerTest, WhatCouldNotBeFlushedAndDoesNotComeAgainIsLost) {
  const Error wrong(Code::kFailedPrecondition, "wrong table");
  world_.Do([&] { world_.flush_errors = {wrong}; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Becomes({0, 0, 1, 0, 0}, "out", "unflushed"));
}

TEST_F(LedgerTest, AStreamThatIsRestartedGoesOnWithItsLedgerAndARemovedOneHasNone) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  EXPECT_TRUE(Becomes({1, 0, 0, 0, 0}, "out"));
  ASSERT_TRUE(Set({{"out", Direction::kEgress, "c", R"({"a":1})"}}).error.ok());
  world_.Send("c", "b");
  EXPECT_TRUE(Becomes({2, 0, 0, 0, 0}, "out"));
  ASSERT_TRUE(Set({}).error.ok());
  EXPECT_EQ(Figure("out", "accepted_total"), -1);
}

TEST(Channel, PatternsMatchAsSubjectsDo) {
  EXPECT_TRUE(ChannelMatches("a.b", "a.b"));
  EXPECT_TRUE(ChannelMatches("a.*", "a.b"));
  EXPECT_TRUE(ChannelMatches("a.>", "a.b.c"));
  EXPECT_FALSE(ChannelMatches("a.*", "a.b.c"));
  EXPECT_FALSE(ChannelMatches("a.>", "a"));
  EXPECT_FALSE(ChannelMatches("a", "a.b"));
}

TEST(Distribution, CountsWhatIsAtMostTheBound) {
  Distribution distribution({1, 10});
  distribution.Observe(1);
  distribution.Observe(2, 3);
  distribution.Observe(11);
  const HistogramValue value = distribution.Value();
  EXPECT_EQ(value.count, 5u);
  EXPECT_EQ(value.sum, 18);
  EXPECT_EQ(value.buckets[0].cumulative_count, 1u);
  EXPECT_EQ(value.buckets[1].cumulative_count, 4u);
}

}  // namespace
}  // namespace kps::test
