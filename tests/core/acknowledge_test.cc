// What is safe is acknowledged, to the transport and to the source, and nothing else; a stream where that fails is not
// called healthy.
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using Receipts = std::vector<std::uint64_t>;

class Acknowledge : public RuntimeTest {
 public:
  Acknowledge() {
    world_.Do([&] { world_.keeping = true; });
  }
  std::uint64_t LastReceipt() {
    return world_.Do([&] { return world_.receipts.empty() ? 0 : world_.receipts.back(); });
  }
  int LogLinesWith(const std::string& text) {
    return world_.Do([&] {
      return static_cast<int>(std::count_if(world_.log.begin(), world_.log.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
      }));
    });
  }
  void Flushing(Error error) {
    world_.Do([&] { world_.flush_error = std::move(error); });
  }
  void Acking(Error error) {
    world_.Do([&] { world_.ack_error = std::move(error); });
  }
  void Read(const std::string& payload) {
    world_.Do([&] { world_.source.push_back(payload); });
  }
};

TEST_F(Acknowledge, EgressOnlyAfterAFlushAndWhatCouldNotBeFlushedComesAgainToAnotherProducer) {
  Flushing(Error(Code::kUnavailable, "disk away"));
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "b", "c"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Created().size() > 1; })) << "one that could not flush vouches for nothing";
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  EXPECT_NE(Find(kStreamUnhealthy, "out")->metadata_json.find("cannot flush: UNAVAILABLE: disk away"),
            std::string::npos);
  EXPECT_EQ(LastReceipt(), 0u);
  const std::size_t before = Produced().size();
  Flushing({});
  EXPECT_TRUE(Eventually([&] { return LastReceipt() > 0; }));
  EXPECT_GE(Produced().size(), std::max<std::size_t>(before, 6));
  const Texts produced = Produced();
  EXPECT_EQ(Texts(produced.end() - 3, produced.end()), (Texts{"a", "b", "c"}));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
}

TEST_F(Acknowledge, AStreamThatCannotFlushStaysUnhealthyWhileItTriesLessAndLessOften) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  Flushing(Error(Code::kUnavailable, "disk away"));
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flushes; }) >= 5; }));
  EXPECT_FALSE(Has(kStreamHealthy, "out"));
  EXPECT_EQ(LogLinesWith("cannot flush"), 1);
  EXPECT_EQ(LogLinesWith("healthy again"), 0);
}

TEST_F(Acknowledge, WhatAnInstanceTookAndCouldNotFlushIsFetchedAgain) {
  const Error wrong(Code::kFailedPrecondition, "wrong table");
  world_.Do([&] { world_.flush_errors = {wrong}; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  world_.Send("c", "b");
  ASSERT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Comes({"a", "a", "b"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return LastReceipt() == 3; }));
}

TEST_F(Acknowledge, ATransportThatKeepsNothingIsAskedForNothing) {
  world_.Do([&] { world_.keeping = false; });
  const Error wrong(Code::kFailedPrecondition, "wrong table");
  world_.Do([&] { world_.flush_errors = {wrong}; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok());
  world_.Send("c", "b");
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
}

TEST_F(Acknowledge, WhatIsDroppedIsAcknowledgedToo) {
  world_.Do([&] { world_.refused = "bad"; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  EXPECT_TRUE(Eventually([&] { return LastReceipt() == 1; }));
  world_.Do([&] { world_.inbox["c"].push_back("no envelope"); });
  EXPECT_TRUE(Eventually([&] { return LastReceipt() == 2; }));
}

TEST_F(Acknowledge, WhatASuccessorTakesOverIsAcknowledgedByIt) {
  world_.Do([&] { world_.producer_busy = true; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  ASSERT_TRUE(Set({{"out", Direction::kEgress, "c", R"({"a":1})"}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 2; }));
  EXPECT_EQ(LastReceipt(), 0u);
  world_.Do([&] { world_.producer_busy = false; });
  EXPECT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return LastReceipt() == 1; }));
  EXPECT_EQ(world_.Do([&] { return world_.produced_at_ns; }), std::vector<std::int64_t>{1}) << "as it was sent";
}

TEST_F(Acknowledge, ABusyStreamFlushesBeforeTooMuchWaitsForIt) {
  constexpr std::uint64_t kCount = 20'000;
  for (std::uint64_t i = 0; i < kCount; ++i) world_.Send("c", "x");
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return LastReceipt() == kCount; }));
  std::uint64_t last = 0;
  for (const std::uint64_t receipt : world_.Do([&] { return world_.receipts; })) {
    EXPECT_LE(receipt - last, 4097u);
    last = receipt;
  }
}

TEST_F(Acknowledge, ToTheSourceAgainUntilItTakesIt) {
  Acking(Error(Code::kUnavailable, "broker away"));
  ASSERT_TRUE(Set({kIn}).error.ok());
  Read("a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in"); }));
  Read("b");
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  EXPECT_FALSE(Has(kStreamHealthy, "in"));
  Acking({});
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 2; }));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_EQ(LogLinesWith("cannot acknowledge"), 1);
}

TEST_F(Acknowledge, ASourceThatNeverTakesItFailsItsStream) {
  Acking(Error(Code::kPermissionDenied, "not yours"));
  ASSERT_TRUE(Set({kIn}).error.ok());
  Read("a");
  EXPECT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  Acking({});
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_EQ(Published(), Texts{"a"});
}

}  // namespace
}  // namespace kps::test
