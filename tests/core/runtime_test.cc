// The runtime and its streams, over a plugin and a transport in memory.
#include "host/core/runtime.h"

#include <gtest/gtest.h>

#include "tests/core/fakes.h"
#include "tests/support/eventually.h"

namespace kps {
namespace {

using test::Eventually;
using Texts = std::vector<std::string>;

class RuntimeTest : public ::testing::Test {
 public:
  RuntimeTest() { runtime_ = std::move(Runtime::Create({"me", "{}", std::chrono::seconds(10)}, {&plugin_, &transport_, &logger_, &clock_}).value()); }

  Runtime::SetOutcome Set(std::vector<StreamSpec> streams) {
    SetPayloadCommand command{"me", {}};
    for (auto& stream : streams) command.payloads.emplace_back(std::move(stream));
    return runtime_->SetPayload(command);
  }
  bool Has(const std::string& id, EventKind kind = EventKind::kStatus) const {
    for (const Event& event : runtime_->Events()) {
      if (event.id == id && event.kind == kind) return true;
    }
    return false;
  }
  Texts Created() { return world_.Do([&] { return world_.created; }); }
  Texts Produced() { return world_.Do([&] { return world_.produced; }); }
  Texts Published() {
    return world_.Do([&] {
      Texts payloads;
      for (const auto& [channel, payload] : world_.published) payloads.push_back(payload);
      return payloads;
    });
  }
  bool Subscribed() const {
    for (const auto& view : runtime_->Streams()) {
      if (!view.subscribed) return false;
    }
    return true;
  }
  bool Comes(const Texts& expected, Texts (RuntimeTest::*what)()) {
    return Eventually([&] { return (this->*what)() == expected; });
  }

  test::World world_;
  test::FakePlugin plugin_{&world_};
  test::FakeTransport transport_{&world_};
  test::FakeLogger logger_{&world_};
  test::FakeClock clock_;
  std::unique_ptr<Runtime> runtime_;
};

const StreamSpec kIn{"in", Direction::kIngress, "c", "{}"};
const StreamSpec kOut{"out", Direction::kEgress, "c", "{}"};

TEST_F(RuntimeTest, StartsKeepsRestartsAndStops) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed() && Created().size() == 2; }));
  ASSERT_TRUE(Set({kOut, kIn}).error.ok());
  StreamSpec changed = kIn;
  changed.metadata_json = "{\"a\":1}";
  ASSERT_TRUE(Set({changed, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 3 && Subscribed(); }));
  EXPECT_EQ(Created().back(), "in@");
  ASSERT_TRUE(Set({}).error.ok());
  EXPECT_TRUE(runtime_->Streams().empty());
  EXPECT_TRUE(runtime_->Events().empty());
  EXPECT_EQ(Created().size(), 3u) << "the same stream again restarts nothing";
}

TEST_F(RuntimeTest, AnInvalidRequestChangesNothing) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  StreamSpec bad = kOut;
  bad.channel = "a b";
  const auto outcome = Set({bad});
  EXPECT_EQ(outcome.error.code(), Code::kInvalidArgument);
  ASSERT_EQ(outcome.violations.size(), 1u);
  ASSERT_EQ(runtime_->Streams().size(), 1u);
  EXPECT_EQ(runtime_->Streams()[0].stream, kIn);
}

TEST_F(RuntimeTest, ATransientErrorIsRetriedAndForgotten) {
  world_.create_errors = {Error(Code::kUnavailable, "source away"), Error(Code::kUnavailable, "source away")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has("streamUnhealthy"); }));
  EXPECT_TRUE(Eventually([&] { return Has("streamHealthy") && Subscribed(); }));
  EXPECT_FALSE(Has("streamUnhealthy"));
  EXPECT_EQ(Created().size(), 3u);
}

TEST_F(RuntimeTest, APermanentErrorIsFailedAndWaits) {
  world_.create_errors = {Error(Code::kPermissionDenied, "wrong password")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has("streamFailed", EventKind::kAlert); }));
  EXPECT_FALSE(Subscribed());
  EXPECT_FALSE(Has("streamHealthy"));
  EXPECT_EQ(Created().size(), 1u);
  StreamSpec changed = kIn;
  changed.metadata_json = "{\"password\":\"right\"}";
  ASSERT_TRUE(Set({changed}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Subscribed() && !Has("streamFailed", EventKind::kAlert); }));
}

TEST_F(RuntimeTest, AcknowledgesOnlyWhatIsConfirmed) {
  world_.confirming = false;
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  EXPECT_TRUE(world_.Do([&] { return world_.acks.empty(); }));
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return !world_.acks.empty() && world_.acks.back() == 2; }); }));
}

TEST_F(RuntimeTest, AfterALostConnectionEverythingUnconfirmedIsPublishedAgainInOrder) {
  world_.confirming = false;
  world_.source = {"a", "b", "c"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  world_.Do([&] { world_.abort_waits = 1; });
  EXPECT_TRUE(Comes({"a", "b", "c", "a", "b", "c"}, &RuntimeTest::Published));
  world_.Do([&] { world_.confirming = true; });
}

TEST_F(RuntimeTest, AnotherChannelGoesOnAtThePosition) {
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return !world_.acks.empty() && world_.acks.back() == 2; }); }));
  StreamSpec moved = kIn;
  moved.channel = "d";
  ASSERT_TRUE(Set({moved}).error.ok());
  EXPECT_TRUE(Comes({"in@", "in@2"}, &RuntimeTest::Created));
  world_.Do([&] { world_.source = {"c"}; });
  ASSERT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  EXPECT_EQ(world_.Do([&] { return world_.published.back().first; }), "d");
}

TEST_F(RuntimeTest, AnUndeliverableMessageIsDroppedWithAnAlert) {
  world_.refused = "bad";
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "bad", "b"}) world_.Send("c", payload);
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Has("messageUndeliverable", EventKind::kAlert));
  world_.Do([&] { world_.inbox["c"].push_back("\x0C"); });
  world_.Send("c", "d");
  EXPECT_TRUE(Comes({"a", "b", "d"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Has("envelopeMalformed", EventKind::kAlert));
}

TEST_F(RuntimeTest, ARestartHandsOverWhatIsUndelivered) {
  world_.producer_busy = true;
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "b"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Has("streamUnhealthy"); }));
  StreamSpec changed = kOut;
  changed.metadata_json = "{\"a\":1}";
  ASSERT_TRUE(Set({changed}).error.ok());
  world_.Do([&] { world_.producer_busy = false; });
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1) << "the subscription stays open: nothing is missed";
}

TEST_F(RuntimeTest, ShutdownDeliversWhatHasArrived) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  Texts sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    world_.Send("c", sent.back());
  }
  runtime_->Shutdown();
  EXPECT_EQ(Produced(), sent);
  EXPECT_EQ(Set({kOut}).error.code(), Code::kUnavailable);
}

}  // namespace
}  // namespace kps
