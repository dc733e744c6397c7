// What survives the process: the runtime and its streams, over a state store in memory.
#include <deque>
#include <map>
#include <mutex>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

// Keeps what it is given; what is safe, the test decides.
class FakeState : public StateStore {
 public:
  Error Load(SavedState* state) override {
    std::lock_guard lock(mutex);
    *state = saved;
    return load_error;
  }
  Error SaveDesired(const StreamMap& streams, const JsonMembers& config) override {
    std::lock_guard lock(mutex);
    if (!save_error.ok()) return save_error;
    saved.streams = streams;
    saved.config = config;
    return {};
  }
  std::uint64_t PutResumePoint(std::string_view id, std::string_view position, std::string_view run,
                               std::uint64_t count) override {
    std::lock_guard lock(mutex);
    saved.resume_points[std::string(id)] = {std::string(position), std::string(run), count};
    ++put;
    if (prompt) safe = put;
    return put;
  }
  std::uint64_t stored() const override {
    std::lock_guard lock(mutex);
    return safe;
  }
  Error Flush(std::chrono::milliseconds) override {
    std::lock_guard lock(mutex);
    if (!flush_error.ok()) return flush_error;
    safe = put;
    return {};
  }

  ResumePoint Point(const std::string& id) {
    std::lock_guard lock(mutex);
    return saved.resume_points[id];
  }
  void MakeSafe(std::uint64_t number) {
    std::lock_guard lock(mutex);
    safe = number;
  }

  mutable std::mutex mutex;
  SavedState saved;
  Error load_error;
  Error save_error;
  Error flush_error;
  std::uint64_t put = 0;
  std::uint64_t safe = 0;
  bool prompt = true;
};

struct HasState {
  FakeState state_;
};

class StateTest : protected HasState, public RuntimeTest {
 public:
  StateTest() : RuntimeTest(&state_) {}
  // As after a crash: nothing is drained that the test has not let through.
  void Restart() { Start(); }
};

TEST_F(StateTest, AStreamGoesOnByItselfWhereItWasStored) {
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}, {{{"k", "1"}}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Acknowledged() == 2; }));
  EXPECT_EQ(state_.Point("in").position, "2");
  EXPECT_EQ(state_.Point("in").message_count, 2u);
  const std::string run = state_.Point("in").run;
  EXPECT_FALSE(run.empty());
  Restart();
  EXPECT_TRUE(Comes({"in@", "in@2"}, &RuntimeTest::Created));
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"k", "1"}}));
  world_.Do([&] { world_.source.push_back("c"); });
  EXPECT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  EXPECT_TRUE(Eventually([&] { return state_.Point("in").message_count == 3; }));
  EXPECT_EQ(state_.Point("in").run, run);
}

TEST_F(StateTest, TheSourceIsAcknowledgedToOnceThePositionIsStored) {
  state_.prompt = false;
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return state_.Point("in").message_count == 2; }));
  EXPECT_EQ(Acknowledged(), 0u);
  state_.MakeSafe(1);  // the begin of the run; no batch
  world_.Do([&] { world_.source.push_back("c"); });
  ASSERT_TRUE(Eventually([&] { return state_.Point("in").message_count == 3; }));
  EXPECT_EQ(Acknowledged(), 0u);
  state_.MakeSafe(2);
  EXPECT_TRUE(Eventually([&] { return Acknowledged() >= 1; }));
  EXPECT_LT(Acknowledged(), 3u) << "more was confirmed since, and is not stored";
  state_.MakeSafe(100);
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 3; }));
}

TEST_F(StateTest, WhatATransportKnowsMessagesByIsStoredBeforeTheFirst) {
  state_.prompt = false;
  world_.keeping = true;
  world_.source = {"a"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a"}, &RuntimeTest::Published));
  EXPECT_EQ(state_.stored(), 1u) << "the begin of the run; no batch yet";
}

TEST_F(StateTest, AStopStoresAndAcknowledgesWhatIsConfirmed) {
  state_.prompt = false;
  world_.source = {"a"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return state_.Point("in").message_count == 1; }));
  runtime_->Shutdown();
  EXPECT_EQ(Acknowledged(), 1u);
}

TEST_F(StateTest, WhatCannotBeStoredIsNotAcknowledged) {
  state_.prompt = false;
  state_.flush_error = Error(Code::kDeadlineExceeded, "disk full");
  world_.source = {"a"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return state_.Point("in").message_count == 1; }));
  runtime_->Shutdown();
  EXPECT_EQ(Acknowledged(), 0u);
}

TEST_F(StateTest, ASetPayloadThatCannotBeSavedChangesNothing) {
  ASSERT_TRUE(Set({kIn}, {{{"k", "1"}}}).error.ok());
  state_.save_error = Error(Code::kResourceExhausted, "no space left");
  const auto outcome = Set({kOut}, {{{"k", "2"}}});
  EXPECT_EQ(outcome.error.code(), Code::kUnavailable);
  EXPECT_NE(outcome.error.message().find("no space left"), std::string::npos);
  ASSERT_EQ(runtime_->Streams().size(), 1u);
  EXPECT_EQ(runtime_->Streams()[0].stream, kIn);
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"k", "1"}}));
  EXPECT_EQ(Configs().back(), R"(configure 1 {"k":1})") << "the plugin is given back what stays in force";
}

TEST_F(StateTest, WhatDoesNotFitThePluginIsNotStartedAndNotForgotten) {
  StreamSpec bad = kIn;
  bad.channel = "a b";
  state_.saved.streams = {{"in", bad}};
  Restart();
  EXPECT_TRUE(runtime_->Streams().empty());
  ASSERT_TRUE(Has(kStateRefused, ""));
  EXPECT_NE(Find(kStateRefused, "")->metadata_json.find(R"(stream \"in\".transport_channel has a space)"),
            std::string::npos)
      << Find(kStateRefused, "")->metadata_json;
  EXPECT_EQ(state_.saved.streams.size(), 1u);
  ASSERT_FALSE(Set({bad}).error.ok());
  EXPECT_TRUE(Has(kStateRefused, "")) << "until a SetPayload takes its place";
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_FALSE(Has(kStateRefused, ""));
}

TEST_F(StateTest, ADamagedFileIsAnAlertAndTheRestGoesOn) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  state_.load_error = Error(Code::kDataLoss, "positions was set aside");
  Restart();
  EXPECT_TRUE(Has(kStateDamaged, ""));
  EXPECT_EQ(runtime_->Streams().size(), 1u);
}

TEST_F(StateTest, AStateThatCannotBeReadIsAnErrorOfTheStart) {
  state_.load_error = Error(Code::kUnimplemented, "of a later version");
  const auto runtime = Runtime::Create({"me", "{}", std::chrono::seconds(1)},
                                       {NotOwned(&plugin_), &transport_, &logger_, &clock_, &state_});
  ASSERT_FALSE(runtime.ok());
  EXPECT_EQ(runtime.error().code(), Code::kUnimplemented);
}

TEST_F(StateTest, AStoreThatFailsIsAnAlertUntilItSavesAgain) {
  runtime_->ReportStateStore(Error(Code::kResourceExhausted, "no space left"));
  EXPECT_TRUE(Has(kStateNotSaved, ""));
  runtime_->ReportStateStore({});
  EXPECT_FALSE(Has(kStateNotSaved, ""));
}

}  // namespace
}  // namespace kps::test
