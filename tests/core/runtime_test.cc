// SetPayload and what runs after it.
#include <atomic>
#include <thread>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using SetPayload = RuntimeTest;

StreamSpec WithMetadata(StreamSpec stream, std::string metadata_json) {
  stream.metadata_json = std::move(metadata_json);
  return stream;
}

TEST_F(SetPayload, TheSameStreamsAgainRestartNothing) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed() && Created().size() == 2; }));
  ASSERT_TRUE(Set({kOut, kIn}).error.ok());
  // A run that was told to stop reads nothing more, so it is the former runs that carry these.
  world_.Do([&] { world_.source.push_back("in"); });
  world_.Send("c", "out");
  ASSERT_TRUE(Comes({"in"}, &RuntimeTest::Published));
  ASSERT_TRUE(Comes({"out"}, &RuntimeTest::Produced));
  EXPECT_EQ(Created().size(), 2u);
}

TEST_F(SetPayload, AChangedStreamIsRestartedAlone) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed() && Created().size() == 2; }));
  ASSERT_TRUE(Set({WithMetadata(kIn, "{\"a\":1}"), kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 3 && Subscribed(); }));
  EXPECT_EQ(Created().back(), "in@");
  world_.Send("c", "out");
  ASSERT_TRUE(Comes({"out"}, &RuntimeTest::Produced));
  EXPECT_EQ(Created().size(), 3u);
}

TEST_F(SetPayload, AStreamThatIsNotNamedIsStopped) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok()) << "a request with only a config stops every stream";
  EXPECT_TRUE(runtime_->Streams().empty());
  EXPECT_TRUE(runtime_->Events().empty());
  EXPECT_TRUE(Eventually([&] {
    return world_.Do([&] { return world_.instances_alive["in"] == 0 && world_.instances_alive["out"] == 0; });
  }));
}

TEST_F(SetPayload, AnInvalidRequestChangesNothing) {
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  StreamSpec bad = kOut;
  bad.channel = "a b";
  const auto outcome = Set({bad}, {{{"a", "2"}}});
  EXPECT_EQ(outcome.error.code(), Code::kInvalidArgument);
  ASSERT_EQ(outcome.violations.size(), 1u);
  ASSERT_EQ(runtime_->Streams().size(), 1u);
  EXPECT_EQ(runtime_->Streams()[0].stream, kIn);
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"a", "1"}}));
  EXPECT_EQ(Configs(), (Texts{"create 1 {}", "configure 1 {\"a\":1}"}));
}

TEST_F(SetPayload, IsAnsweredWhileCreateDoesNotReturn) {
  world_.blocked = {"in", "out"};
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 2; }));
  // Both are stuck in the plugin. That these calls return at all is the proof; how fast is only a check of sanity.
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(Set({WithMetadata(kIn, "{\"a\":1}"), kOut}).error.ok());
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_EQ(runtime_->Streams().size(), 1u);
  EXPECT_FALSE(runtime_->Streams()[0].subscribed);
  EXPECT_TRUE(runtime_->Events().empty());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
  EXPECT_EQ(Created().size(), 2u);
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }));
}

TEST_F(SetPayload, AStreamThatIsStuckDoesNotDelayAnother) {
  world_.blocked = {"in"};
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  world_.Send("c", "out");
  EXPECT_TRUE(Comes({"out"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
}

TEST_F(SetPayload, TheOtherCallsDoNotWaitForOneThatWaitsForThePlugin) {
  std::atomic<bool> looking{false}, decided{false};
  world_.configure = [&](const std::string&) {
    looking = true;
    EXPECT_TRUE(Eventually([&] { return decided.load(); }));
    return ConfigureOutcome::kApplied;
  };
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  std::thread setting([&] { EXPECT_TRUE(Set({kOut}, {{{"a", "1"}}}).error.ok()); });
  EXPECT_TRUE(Eventually([&] { return looking.load(); }));
  // All of this is the state before, as a whole.
  ASSERT_EQ(runtime_->Streams().size(), 1u);
  EXPECT_EQ(runtime_->Streams()[0].stream, kIn);
  EXPECT_TRUE(runtime_->Streams()[0].subscribed);
  EXPECT_TRUE(runtime_->Config().empty());
  EXPECT_TRUE(Has(kStreamHealthy, "in"));
  decided = true;
  setting.join();
  EXPECT_EQ(runtime_->Streams()[0].stream, kOut);
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"a", "1"}}));
}

TEST_F(SetPayload, IsRefusedAfterShutdown) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  runtime_->Shutdown();
  EXPECT_EQ(Set({kOut}).error.code(), Code::kUnavailable);
  EXPECT_TRUE(world_.Do([&] { return world_.connectors_alive.empty(); }));
}

TEST_F(SetPayload, WrongStaticParametersAreAllNamedAtTheStart) {
  plugin_.mutable_descriptor()->static_schema =
      R"({"type":"object","required":["broker"],"properties":{"port":{"type":"integer"}}})";
  const auto runtime = Runtime::Create({"me", R"({"port":"x"})"}, {NotOwned(&plugin_), &transport_, &logger_, &clock_});
  ASSERT_FALSE(runtime.ok());
  EXPECT_EQ(runtime.error().code(), Code::kInvalidArgument);
  const std::string& message = runtime.error().message();
  EXPECT_NE(message.find("broker"), std::string::npos) << message;
  EXPECT_NE(message.find("port"), std::string::npos) << message;
}

}  // namespace
}  // namespace kps::test
