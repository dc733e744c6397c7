// A stream is changed while its former run does not end: what a person sees, what waits, and what is handed on.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

StreamSpec With(StreamSpec stream, const std::string& channel, int content) {
  stream.channel = channel;
  stream.metadata_json = "{\"content\":" + std::to_string(content) + "}";
  return stream;
}

std::ptrdiff_t Threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

class FormerRun : public RuntimeTest {
 public:
  std::string Unhealthy(const std::string& stream_id) const {
    const auto event = Find(kStreamUnhealthy, stream_id);
    return event ? event->metadata_json : "";
  }
  bool Logged(const std::string& text) {
    return world_.Do([&] {
      return std::any_of(world_.log.begin(), world_.log.end(),
                         [&](const std::string& line) { return line.find(text) != std::string::npos; });
    });
  }
  // Its create does not return.
  void SetStuck(const StreamSpec& stream) {
    world_.Do([&] { world_.blocked = {stream.id}; });
    ASSERT_TRUE(Set({stream}).error.ok());
    ASSERT_TRUE(Eventually([&] { return Created().size() == 1; }));
  }
  void Release() {
    world_.Do([&] { world_.blocked.clear(); });
  }
  // A drain of this one does not take long.
  void StartWithDrainTimeout(milliseconds drain_timeout) {
    runtime_.reset();
    runtime_ = std::move(
        Runtime::Create({"me", "{}", drain_timeout}, {NotOwned(&plugin_), &transport_, &logger_, &clock_}).value());
  }
};

TEST_F(FormerRun, ThatIsStuckIsNamedWithItsFunctionUntilItEnds) {
  SetStuck(kIn);
  ASSERT_TRUE(Set({With(kIn, "c", 2)}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in"); }));
  const std::string reason = "the former run of this stream has not ended yet: its plugin is still in create_consumer";
  EXPECT_NE(Unhealthy("in").find("\"ErrorMessage\":\"" + reason + "\""), std::string::npos) << Unhealthy("in");
  EXPECT_TRUE(Logged("in: " + reason));
  Release();
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_FALSE(Has(kStreamUnhealthy, "in"));
}

TEST_F(FormerRun, InWhichTheHostItselfIsBusyIsNamedWithoutAFunction) {
  world_.Do([&] {
    world_.source = {"a"};
    world_.confirming = false;
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a"}, &RuntimeTest::Published));
  ASSERT_TRUE(Set({With(kIn, "c", 2)}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in"); }));
  EXPECT_NE(Unhealthy("in").find("has not ended yet\""), std::string::npos) << Unhealthy("in");
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
}

TEST_F(FormerRun, IsWaitedForByTheNewestContentAlone) {
  for (const StreamSpec& stream : {kIn, kOut}) {
    world_.Do([&] { world_.created.clear(); });
    SetStuck(stream);
    const auto before = Threads();
    for (int i = 1; i <= 300; ++i) ASSERT_TRUE(Set({With(stream, "c", i)}).error.ok());
    EXPECT_TRUE(Eventually([&] { return Threads() <= before + 1; })) << Threads() - before;
    Release();
    EXPECT_TRUE(Eventually([&] { return Subscribed() && Created().size() == 2; }));
    EXPECT_EQ(runtime_->Streams().at(0).stream, With(stream, "c", 300));
    ASSERT_TRUE(Set({}).error.ok());
  }
}

TEST_F(FormerRun, IsWaitedForByAFewWhenEachHasItsOwnChannelToDrain) {
  StartWithDrainTimeout(std::chrono::hours(1));
  SetStuck(kOut);
  const auto before = Threads();
  for (int i = 1; i <= 300; ++i) ASSERT_TRUE(Set({With(kOut, "c" + std::to_string(i), i)}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Threads() <= before + 10; })) << Threads() - before;
  Release();
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }));
}

TEST_F(FormerRun, ThatWasRemovedIsWaitedForByOneAlone) {
  SetStuck(kIn);
  const auto before = Threads();
  for (int i = 1; i <= 100; ++i) {
    ASSERT_TRUE(Set({}).error.ok());
    ASSERT_TRUE(Set({With(kIn, "c", i)}).error.ok());
  }
  EXPECT_TRUE(Eventually([&] { return Threads() <= before + 1; })) << Threads() - before;
  EXPECT_EQ(Created().size(), 1u);
  Release();
  EXPECT_TRUE(Eventually([&] { return Subscribed() && Created().size() == 2; }));
}

TEST_F(FormerRun, LeavesItsPositionThroughOneThatNeverBegan) {
  world_.Do([&] {
    world_.source = {"a", "b"};
    world_.confirming = false;
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  StreamSpec other = kIn;
  other.channel = "d";
  ASSERT_TRUE(Set({other}).error.ok());
  ASSERT_TRUE(Set({kIn}).error.ok());
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Comes({"in@", "in@2"}, &RuntimeTest::Created));
}

TEST_F(FormerRun, LeavesNoPositionThroughOneOfAnotherSource) {
  world_.Do([&] {
    world_.source = {"a", "b"};
    world_.confirming = false;
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  ASSERT_TRUE(Set({With(kIn, "c", 2)}).error.ok());
  ASSERT_TRUE(Set({kIn}).error.ok());
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Comes({"in@", "in@"}, &RuntimeTest::Created));
}

TEST_F(FormerRun, LeavesItsSubscriptionThroughOneThatNeverBegan) {
  SetStuck(kOut);
  world_.Send("c", "x");
  ASSERT_TRUE(Set({With(kOut, "c", 2)}).error.ok());
  world_.Send("c", "y");
  ASSERT_TRUE(Set({With(kOut, "c", 3)}).error.ok());
  world_.Send("c", "z");
  Release();
  EXPECT_TRUE(Comes({"x", "y", "z"}, &RuntimeTest::Produced));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1);
}

TEST_F(FormerRun, KeepsAMiddleOneFromDrainingOnlyForTheDrainTimeout) {
  StartWithDrainTimeout(milliseconds(200));
  SetStuck(kOut);
  ASSERT_TRUE(Set({With(kOut, "d", 2)}).error.ok());
  world_.Send("d", "x");
  ASSERT_TRUE(Set({With(kOut, "e", 3)}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Logged("out: 1 received messages were not delivered in time and are lost"); }));
  Release();
  world_.Send("e", "y");
  EXPECT_TRUE(Comes({"y"}, &RuntimeTest::Produced));
  const auto missed = [&] {
    for (const MetricFamily& family : runtime_->ledgers().Families(0)) {
      for (const MetricSample& sample : family.samples) {
        for (const auto& [name, value] : sample.labels) {
          if (value == "stopped") return sample.value;
        }
      }
    }
    return 0.0;
  };
  EXPECT_EQ(missed(), 1.0);
}

TEST_F(FormerRun, DrainsItselfWhenTheOneThatWasToTakeOverIsGone) {
  StartWithDrainTimeout(milliseconds(200));
  SetStuck(kOut);
  world_.Send("c", "x");
  const auto before = Threads();
  ASSERT_TRUE(Set({With(kOut, "c", 2)}).error.ok());
  ASSERT_TRUE(Set({}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Threads() == before; })) << "the one in the middle has given up";
  Release();
  EXPECT_TRUE(Comes({"x"}, &RuntimeTest::Produced));
}

TEST_F(FormerRun, ThatWaitsForTheTransportSaysSo) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  world_.Do([&] {
    world_.connected = false;
    world_.confirming = false;
    world_.source = {"a"};
  });
  ASSERT_TRUE(Eventually([&] { return !Published().empty(); }));
  ASSERT_TRUE(Set({With(kIn, "d", 2)}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in"); }));
  EXPECT_NE(Unhealthy("in").find("has not ended yet: the transport is not connected: unplugged"), std::string::npos)
      << Unhealthy("in");
  world_.Do([&] { world_.confirming = true; });
}

TEST_F(FormerRun, ThatIsStuckIsAnAlertOfItsCallWhileItIsDesired) {
  runtime_.reset();
  runtime_ = std::move(Runtime::Create({.connector_id = "me", .told_beyond = milliseconds(100)},
                                       {NotOwned(&plugin_), &transport_, &logger_, &clock_})
                           .value());
  SetStuck(kIn);
  ASSERT_TRUE(Eventually([&] { return Has(kPluginCallLasts, "in"); }));
  EXPECT_NE(Find(kPluginCallLasts, "in")->metadata_json.find("create_consumer of the plugin does not return"),
            std::string::npos);
  ASSERT_TRUE(Set({}).error.ok());
  EXPECT_FALSE(runtime_->OverdueCalls().empty());
  EXPECT_FALSE(Has(kPluginCallLasts, "in")) << "events go with their stream";
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_TRUE(Has(kPluginCallLasts, "in"));
  Release();
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_FALSE(Has(kPluginCallLasts, "in"));
}

TEST_F(FormerRun, IsWaitedForByAShutdown) {
  SetStuck(kIn);
  ASSERT_TRUE(Set({With(kIn, "c", 2)}).error.ok());
  std::atomic<bool> over{false};
  std::thread shutdown([&] {
    runtime_->Shutdown();
    over = true;
  });
  EXPECT_TRUE(Eventually([&] { return !runtime_->OverdueCalls().empty(); }));
  const PluginCall call = runtime_->OverdueCalls().at(0);
  EXPECT_EQ(call.stream_id, "in");
  EXPECT_STREQ(call.function, "create_consumer");
  EXPECT_GT(call.lasts, PluginCalls::kGrace);
  EXPECT_FALSE(over);
  Release();
  shutdown.join();
  EXPECT_TRUE(runtime_->OverdueCalls().empty());
}

TEST_F(FormerRun, ThatIsStuckKeepsNoOtherStreamFromItsDrain) {
  SetStuck(kIn);
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  std::thread shutdown([&] { runtime_->Shutdown(); });
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.instances_alive["out"] == 0; }); }));
  Release();
  shutdown.join();
}

}  // namespace
}  // namespace kps::test
