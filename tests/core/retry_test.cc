// Streams that cannot start: what is transient is tried again with a back-off, what is permanent waits for the next
// SetPayload.
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

const StreamSpec kOther{"other", Direction::kIngress, "d", "{}"};

class Retry : public RuntimeTest {
 public:
  std::size_t Tries(const std::string& what) {
    const Texts created = Created();
    return static_cast<std::size_t>(std::count(created.begin(), created.end(), what));
  }
  // So much time has passed that a stream with back-off was tried five times: 100 + 200 + 400 + 800 ms, at least half
  // of it.
  bool OthersAreTriedAgain() {
    return Eventually([&] { return Tries("other@") >= 5; });
  }
};

TEST_F(Retry, ATransientErrorIsForgottenAfterASuccess) {
  world_.create_errors = {Error(Code::kUnavailable, "source away"), Error(Code::kUnavailable, "source away")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in"); }));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in") && Subscribed(); }));
  EXPECT_FALSE(Has(kStreamUnhealthy, "in"));
  EXPECT_EQ(Created().size(), 3u);
}

TEST_F(Retry, TheDelaysDoubleAndStartAgainAfterASuccess) {
  const Error away(Code::kUnavailable, "away");
  world_.create_errors = {away, away, away, Error(), away, away};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  ASSERT_EQ(Created().size(), 4u);
  // A permanent error of the running consumer, and a change that starts it again: it fails twice more.
  world_.Do([&] { world_.next_errors = {Error(Code::kDataLoss, "gone")}; });
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 7 && Has(kStreamHealthy, "in"); }));
  const auto at = world_.Do([&] { return world_.created_at; });
  EXPECT_GE(at[1] - at[0], milliseconds(50));
  EXPECT_GE(at[2] - at[1], milliseconds(100));
  EXPECT_GE(at[3] - at[2], milliseconds(200));
  EXPECT_GE(at[5] - at[4], milliseconds(50));
  EXPECT_LT(at[5] - at[4], milliseconds(400)) << "the fourth delay in a row would be 400 ms at least";
}

TEST_F(Retry, NotBeforeThePluginSays) {
  Error busy(Code::kResourceExhausted, "come back later");
  busy.set_retry_after(milliseconds(700));
  world_.create_errors = {busy};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 2; }));
  const auto at = world_.Do([&] { return world_.created_at; });
  EXPECT_GE(at[1] - at[0], milliseconds(700));
}

TEST_F(Retry, APermanentErrorWaits) {
  world_.create_error = {{"in", Error(Code::kPermissionDenied, "wrong password")},
                         {"other", Error(Code::kUnavailable, "away")}};
  ASSERT_TRUE(Set({kIn, kOther}).error.ok());
  ASSERT_TRUE(OthersAreTriedAgain());
  EXPECT_EQ(Tries("in@"), 1u);
  EXPECT_TRUE(Has(kStreamFailed, "in"));
  EXPECT_FALSE(Has(kStreamFailed, "other"));
  EXPECT_FALSE(Subscribed());
}

TEST_F(Retry, AfterAPermanentErrorTheSameRequestTriesAgain) {
  world_.create_error = {{"in", Error(Code::kPermissionDenied, "wrong password")}};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Tries("in@") == 2; }));
  world_.Do([&] { world_.create_error.clear(); });
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Subscribed() && !Has(kStreamFailed, "in"); }));
}

TEST_F(Retry, TheSameRequestDuringATryCountsForIt) {
  world_.blocked = {"in"};
  world_.create_errors = {Error(Code::kUnauthenticated, "no password")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 1; }));
  ASSERT_TRUE(Set({kIn}).error.ok());
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return Subscribed(); })) << "it may have failed with what was there before";
}

TEST_F(Retry, TheSameRequestLeavesABackOffAndARunningStreamAlone) {
  Error away(Code::kUnavailable, "away");
  away.set_retry_after(milliseconds(3'600'000));
  world_.create_error = {{"other", away}};
  ASSERT_TRUE(Set({kIn, kOther, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in") && Has(kStreamHealthy, "out"); }));
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "other"); }));
  const auto before = Created();
  ASSERT_TRUE(Set({kIn, kOther, kOut}).error.ok());
  // A stream that starts after the request has come as far as those before it can.
  ASSERT_TRUE(Set({kIn, kOther, kOut, {"z", Direction::kIngress, "z", "{}"}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "z"); }));
  EXPECT_EQ(Tries("in@"), 1u);
  EXPECT_EQ(Tries("other@"), 1u);
  EXPECT_EQ(Tries("out"), 1u);
  EXPECT_EQ(before.size(), 3u);
  // What has failed since is not taken for something that was sent again.
  world_.Do([&] { world_.next_errors = {Error(Code::kDataLoss, "gone"), Error(Code::kDataLoss, "gone")}; });
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in") && Has(kStreamFailed, "z"); }));
  EXPECT_EQ(Tries("in@"), 1u);
}

TEST_F(Retry, AChangeOfTheStreamEndsTheWait) {
  world_.create_errors = {Error(Code::kPermissionDenied, "wrong password")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  StreamSpec changed = kIn;
  changed.metadata_json = "{\"password\":\"right\"}";
  ASSERT_TRUE(Set({changed}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Subscribed() && !Has(kStreamFailed, "in"); }));
}

TEST_F(Retry, AConfigThatIsAppliedEndsTheWait) {
  world_.create_error = {{"in", Error(Code::kUnauthenticated, "no password")},
                         {"other", Error(Code::kUnavailable, "away")}};
  ASSERT_TRUE(Set({kIn, kOther}).error.ok());
  ASSERT_TRUE(OthersAreTriedAgain()) << "the next delay of this one is 800 ms at least";
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  world_.Do([&] { world_.create_error.clear(); });
  ASSERT_TRUE(Set({kIn, kOther}, {{{"password", "\"right\""}}}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }, milliseconds(10'000)));
  EXPECT_FALSE(Has(kStreamFailed, "in"));
  EXPECT_EQ(Tries("in@"), 2u);
}

TEST_F(Retry, AConfigThatIsAppliedDuringATryCountsForIt) {
  world_.blocked = {"in"};
  world_.create_errors = {Error(Code::kUnauthenticated, "no password")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 1; }));
  ASSERT_TRUE(Set({kIn}, {{{"password", "\"right\""}}}).error.ok());
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return Subscribed(); })) << "it failed with the former config, so it is tried again";
}

TEST_F(Retry, OnlyTheLogLevelEndsNoBackOff) {
  Error away(Code::kUnavailable, "away");
  away.set_retry_after(milliseconds(3'600'000));
  world_.create_error = {{"other", away}};
  ASSERT_TRUE(Set({kOther}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "other"); }));
  ASSERT_TRUE(Set({kOther, kIn}, {{{"log_level", "\"debug\""}}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_EQ(Tries("other@"), 1u);
}

}  // namespace
}  // namespace kps::test
