// Another version of the plugin takes the place of the present one while streams run.
#include <gmock/gmock.h>

#include <thread>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds kLong{20'000};
constexpr milliseconds kShort{100};

StreamSpec Ingress(const std::string& id) { return {id, Direction::kIngress, id, "{}"}; }

// The present version makes connectors 1, 2, ..., the next one 11, 12, ...
class SwapTest : public RuntimeTest {
 public:
  SwapTest() { next_->mutable_descriptor()->version = "2.0.0"; }

  Result<Runtime::Swapped> Swap(milliseconds timeout = kLong) { return runtime_->Swap(next_, timeout); }
  void Run(std::vector<StreamSpec> streams) {
    ASSERT_TRUE(Set(std::move(streams)).error.ok());
    ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  }
  void Arrive(const std::string& payload) {
    world_.Do([&] { world_.source.push_back(payload); });
  }
  int MostAtOnce(const std::string& id) {
    return world_.Do([&] { return world_.instances_most[id]; });
  }
  // The stream is as it was before a swap that was refused.
  void ExpectUnharmed(const std::string& id) {
    EXPECT_TRUE(Has(kStreamHealthy, id));
    EXPECT_FALSE(Has(kStreamUnhealthy, id));
    EXPECT_EQ(runtime_->Descriptor().version, plugin_.descriptor().version);
    EXPECT_TRUE(Alive({1}));
    Arrive("after");
    EXPECT_TRUE(Eventually([&] { return !Published().empty() && Published().back() == "after"; }));
  }

  std::shared_ptr<FakePlugin> next_ = std::make_shared<FakePlugin>(&world_, 10);
};

TEST_F(SwapTest, StreamsGoOnFromTheirPositionInTheNextVersion) {
  Run({kIn, {"out", Direction::kEgress, "d", "{}"}});
  Arrive("1");
  world_.Send("d", "x");
  ASSERT_TRUE(Comes({"1"}, &RuntimeTest::Published));
  ASSERT_TRUE(Comes({"x"}, &RuntimeTest::Produced));
  const auto swapped = Swap();
  ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  EXPECT_EQ(swapped.value().to, "2.0.0");
  EXPECT_EQ(swapped.value().pauses.size(), 2u);
  EXPECT_THAT(swapped.value().standing, IsEmpty());
  EXPECT_EQ(swapped.value().dropped, 0u);
  Arrive("2");
  world_.Send("d", "y");
  EXPECT_TRUE(Comes({"1", "2"}, &RuntimeTest::Published));
  EXPECT_TRUE(Comes({"x", "y"}, &RuntimeTest::Produced));
  EXPECT_THAT(ConnectorsOf("in"), ElementsAre(1, 11));
  EXPECT_THAT(ConnectorsOf("out"), ElementsAre(1, 11));
  EXPECT_THAT(Created(), testing::Contains("in@1"));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1);
  EXPECT_TRUE(Alive({11})) << "the former version is let go";
  EXPECT_EQ(runtime_->Descriptor().version, "2.0.0");
}

TEST_F(SwapTest, WhatIsSetLaterRunsInTheNextVersion) {
  Run({Ingress("a")});
  ASSERT_TRUE(Swap().ok());
  Run({Ingress("a"), Ingress("b")});
  EXPECT_THAT(ConnectorsOf("b"), ElementsAre(11));
}

TEST_F(SwapTest, NothingIsLostDoubledOrDisorderedUnderLoad) {
  Run({kIn, {"out", Direction::kEgress, "d", "{}"}});
  Texts sent;
  std::vector<std::shared_ptr<FakePlugin>> versions;
  for (int swap = 1; swap <= 20; ++swap) {
    world_.Do([&] { world_.overlap_safe = swap % 2 == 0; });
    std::jthread load([&] {
      for (int i = 0; i < 50; ++i) {
        sent.push_back(std::to_string(sent.size()));
        Arrive(sent.back());
        world_.Send("d", sent.back());
      }
    });
    versions.push_back(std::make_shared<FakePlugin>(&world_, 100 * swap));
    const auto swapped = runtime_->Swap(versions.back(), kLong);
    ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  }
  EXPECT_TRUE(Comes(sent, &RuntimeTest::Published));
  EXPECT_TRUE(Comes(sent, &RuntimeTest::Produced));
  EXPECT_TRUE(Alive({2001}));
}

TEST_F(SwapTest, AVersionOnWhichNothingCanBeCreatedLeavesTheStreamAsItWas) {
  Run({kIn});
  world_.Do([&] { world_.failing = {11}; });
  const auto swapped = Swap();
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(),
              AllOf(HasSubstr("stream \"in\""), HasSubstr("cannot create the consumer"), HasSubstr("no such broker")));
  ExpectUnharmed("in");
}

TEST_F(SwapTest, AVersionWhoseFirstReadFailsLeavesTheStreamAsItWas) {
  Run({kIn});
  world_.Do([&] { world_.unreadable = {11}; });
  const auto swapped = Swap();
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("cannot read the next message"));
  ExpectUnharmed("in");
}

TEST_F(SwapTest, WhereOneStreamCannotMoveThoseThatDidComeBack) {
  Run({Ingress("a"), Ingress("b")});
  world_.Do([&] { world_.create_error.emplace("b", Error(Code::kInvalidArgument, "not with me")); });
  ASSERT_FALSE(Swap().ok());
  world_.Do([&] { world_.create_error.clear(); });
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("a") == std::vector{1, 11, 1}; }));
  EXPECT_TRUE(Alive({1}));
  Run({Ingress("a"), Ingress("b"), Ingress("c")});
  EXPECT_THAT(ConnectorsOf("c"), ElementsAre(1));
}

TEST_F(SwapTest, AVersionThatHangsWhileItCreatesIsGivenUpAndEndsLater) {
  world_.overlap_safe = true;
  Run({kIn});
  world_.Do([&] { world_.blocked = {"in"}; });
  const auto swapped = Swap(kShort);
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().code(), Code::kDeadlineExceeded);
  Arrive("meanwhile");
  EXPECT_TRUE(Comes({"meanwhile"}, &RuntimeTest::Published)) << "also while the other one still hangs";
  EXPECT_TRUE(Alive({1, 11}));
  world_.Do([&] { world_.blocked.clear(); });
  ExpectUnharmed("in");
}

TEST_F(SwapTest, AConnectorThatHangsWhileItIsCreatedIsGivenUpAndEndsLater) {
  Run({kIn});
  world_.Do([&] { world_.blocked = {"connector"}; });
  const auto swapped = Swap(kShort);
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("create_connector has not returned in time"));
  world_.Do([&] { world_.blocked.clear(); });
  ExpectUnharmed("in");
}

TEST_F(SwapTest, AConnectorThatCannotBeCreatedChangesNothing) {
  Run({kIn});
  world_.Do([&] { world_.connector_errors = {Error(Code::kInternal, "not today")}; });
  const auto swapped = Swap();
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("not today"));
  ExpectUnharmed("in");
}

TEST_F(SwapTest, AVersionThatNoLongerAcceptsWhatIsSetIsRefusedBeforeAnythingIsCreated) {
  Run({kIn});
  next_->mutable_descriptor()->stream_schema = R"({"type":"object","required":["path"]})";
  const auto swapped = Swap();
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(swapped.error().message(), AllOf(HasSubstr("stream \"in\""), HasSubstr("path")));
  next_->mutable_descriptor()->stream_schema = "{";
  EXPECT_THAT(Swap().error().message(), HasSubstr("stream_schema"));
  next_->mutable_descriptor()->stream_schema = "";
  next_->mutable_descriptor()->static_schema = R"({"type":"object","required":["port"]})";
  EXPECT_THAT(Swap().error().message(), HasSubstr("port"));
  next_->mutable_descriptor()->static_schema = "";
  next_->mutable_descriptor()->name = "other";
  EXPECT_THAT(Swap().error().message(), HasSubstr("the plugin other"));
  EXPECT_THAT(ConnectorsOf("in"), ElementsAre(1));
  ExpectUnharmed("in");
}

TEST_F(SwapTest, AStreamThatHasFailedMovesSinceThereIsNothingToGoBackTo) {
  world_.create_errors = {Error(Code::kInvalidArgument, "a mistake of this version")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  const auto swapped = Swap();
  ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  EXPECT_THAT(swapped.value().pauses, IsEmpty());
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_THAT(ConnectorsOf("in"), ElementsAre(1, 11));
}

TEST_F(SwapTest, AStreamThatDoesNotComeBackFromThePresentVersionFollowsWhenItDoes) {
  world_.blocked = {"in"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return !Created().empty(); }));
  const auto swapped = Swap(kShort);
  ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  EXPECT_THAT(swapped.value().standing, ElementsAre("in"));
  EXPECT_TRUE(Alive({1, 11}));
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Alive({11}));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_EQ(ConnectorsOf("in").back(), 11);
}

TEST_F(SwapTest, TwoInstancesExistAtOnceOnlyWhereThePluginAllowsIt) {
  Run({kIn, kOut});
  ASSERT_TRUE(Swap().ok());
  EXPECT_EQ(MostAtOnce("in"), 1);
  EXPECT_EQ(MostAtOnce("out"), 1);
  world_.Do([&] { world_.overlap_safe = true; });
  ASSERT_TRUE(runtime_->Swap(std::make_shared<FakePlugin>(&world_, 20), kLong).ok());
  EXPECT_EQ(MostAtOnce("in"), 2);
  EXPECT_EQ(MostAtOnce("out"), 2);
}

TEST_F(SwapTest, WhatASourceThatCannotResumeHasGivenToTheFormerVersionIsTakenOver) {
  world_.overlap_safe = true;
  Run({kIn});
  world_.Do([&] {
    world_.own[1] = {"first"};
    world_.blocked = {"in"};
  });
  std::thread unblock([&] {
    ASSERT_TRUE(Eventually([&] { return ConnectorsOf("in") == std::vector{1, 11}; }));
    world_.Do([&] {
      world_.own[1].insert(world_.own[1].end(), {"2", "3", "4"});
      world_.own[11] = {"5"};
      world_.blocked.clear();
    });
  });
  const auto swapped = Swap();
  unblock.join();
  ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  EXPECT_TRUE(Comes({"first", "2", "3", "4", "5"}, &RuntimeTest::Published));
}

// Before its first message a source that resumes has no position either.
TEST_F(SwapTest, WhatTheFormerVersionReadsMeanwhileIsNotReadAgainByTheNext) {
  world_.overlap_safe = true;
  Run({kIn});
  world_.Do([&] { world_.blocked = {"in"}; });
  std::thread unblock([&] {
    ASSERT_TRUE(Eventually([&] { return ConnectorsOf("in") == std::vector{1, 11}; }));
    world_.Do([&] {
      world_.source = {"1", "2", "3"};
      world_.blocked.clear();
    });
  });
  const auto swapped = Swap();
  unblock.join();
  ASSERT_TRUE(swapped.ok()) << swapped.error().ToString();
  Arrive("4");
  EXPECT_TRUE(Comes({"1", "2", "3", "4"}, &RuntimeTest::Published));
  EXPECT_EQ(ConnectorsOf("in").back(), 11);
}

TEST_F(SwapTest, AStopDuringATrialEndsInTheVersionThatWorks) {
  Run({kOut});
  world_.Do([&] {
    world_.failing = {11};
    world_.blocked = {"out"};
  });
  std::thread swap([&] { EXPECT_FALSE(Swap().ok()); });
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("out") == std::vector{1, 11}; }));
  world_.Send("c", "x");
  std::thread shutdown([&] { runtime_->Shutdown(); });
  swap.join();
  world_.Do([&] { world_.blocked.clear(); });
  shutdown.join();
  EXPECT_EQ(Produced(), Texts{"x"}) << "by the version before, which is made again for it";
  EXPECT_EQ(ConnectorsOf("out").back(), 1);
}

TEST_F(SwapTest, AProducerIsNotMadeOnceMoreForADrain) {
  Run({kOut});
  ASSERT_TRUE(Swap().ok());
  world_.Send("c", "x");
  ASSERT_TRUE(Comes({"x"}, &RuntimeTest::Produced));
  runtime_->Shutdown();
  EXPECT_THAT(ConnectorsOf("out"), ElementsAre(1, 11));
}

TEST_F(SwapTest, AMoveThatStandsIsStillMadeWhenALaterSwapIsRefused) {
  world_.configure = [](const std::string&) { return ConfigureOutcome::kRecreate; };
  world_.producer_blocked = true;
  Run({kOut});
  world_.Send("c", "x");
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.producing; }); }));
  ASSERT_TRUE(Set({kOut}, {{{"generation", "2"}}}).error.ok());  // connector 2, to which it moves when it comes back
  world_.Do([&] { world_.failing = {11}; });
  std::thread release([&] {
    ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.connectors_alive.contains(11); }); }));
    world_.Do([&] { world_.producer_blocked = false; });
  });
  EXPECT_FALSE(Swap().ok());
  release.join();
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("out").back() == 2; }));
  EXPECT_TRUE(Alive({2}));
  EXPECT_EQ(Produced(), Texts{"x"});
}

TEST_F(SwapTest, AStreamThatHasMovedWithoutATrialIsShownAsRunningOnceItIs) {
  world_.configure = [](const std::string&) { return ConfigureOutcome::kRecreate; };
  Run({kIn});
  world_.Do([&] { world_.blocked = {"in"}; });
  ASSERT_TRUE(Set({kIn}, {{{"generation", "2"}}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("in") == std::vector{1, 2}; }));
  EXPECT_FALSE(Subscribed()) << "its consumer is being created";
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }));
}

TEST_F(SwapTest, ASourceThatCouldNotBeToldIsNotLeft) {
  Run({kIn});
  world_.Do([&] { world_.ack_error = Error(Code::kUnavailable, "the source is busy"); });
  Arrive("1");
  ASSERT_TRUE(Comes({"1"}, &RuntimeTest::Published));
  world_.Do([&] { world_.ack_error = {}; });
  ASSERT_TRUE(Swap().ok());
  EXPECT_EQ(Acknowledged(), 1u) << "by the version that has read it";
}

TEST_F(SwapTest, WhatIsOnItsWayIsBroughtHomeFirstAndAcknowledgedToTheFormerVersion) {
  Run({kIn});
  world_.Do([&] { world_.confirming = false; });
  Arrive("1");
  ASSERT_TRUE(Comes({"1"}, &RuntimeTest::Published));
  const auto refused = Swap(kShort);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("not confirmed in time"));
  EXPECT_EQ(Acknowledged(), 0u);
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 1; })) << "by the version that has read it";
  EXPECT_TRUE(Swap().ok());
}

TEST_F(SwapTest, WhatCannotBeFlushedStaysWithTheVersionThatTookIt) {
  Run({kOut});
  world_.Do([&] { world_.flush_error = Error(Code::kUnavailable, "disk is away"); });
  world_.Send("c", "x");
  ASSERT_TRUE(Comes({"x"}, &RuntimeTest::Produced));
  const auto refused = Swap();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("cannot be flushed"), HasSubstr("disk is away")));
  world_.Do([&] { world_.flush_error = {}; });
  world_.Send("c", "y");
  EXPECT_TRUE(Comes({"x", "y"}, &RuntimeTest::Produced));
}

TEST_F(SwapTest, AFlushThatTheMoveInterruptsIsFinishedFirst) {
  Run({kOut});
  world_.Do([&] { world_.keeping = world_.woken_takes_nothing = world_.flush_waits = true; });
  world_.Send("c", "x");
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flushes; }) == 1; }));
  std::thread swap([&] {
    const auto swapped = Swap();
    EXPECT_TRUE(swapped.ok()) << swapped.error().ToString();
  });
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flushes; }) == 2; }));
  world_.Do([&] { world_.flush_waits = false; });
  swap.join();
  EXPECT_EQ(ConnectorsOf("out"), (std::vector{1, 11}));
  EXPECT_EQ(Produced(), Texts{"x"});
  EXPECT_FALSE(Has(kStreamUnhealthy, "out"));
}

TEST_F(SwapTest, EventsAreThoseOfTheVersionThatRuns) {
  Run({kIn});
  const auto raise = [&](const std::string& id, const std::string& stream) {
    Event event;
    event.kind = EventKind::kAlert;
    event.id = id;
    event.stream_id = stream;
    world_.Do([&] { return world_.services; })->Raise(event);
  };
  const auto ids = [&] {
    std::set<std::string> ids;
    for (const Event& event : runtime_->Events()) {
      if (event.origin != 0) ids.insert(event.id);
    }
    return ids;
  };
  raise("former", "in");
  raise("formerAsAWhole", "");
  world_.Do([&] { world_.failing = {11}; });
  ASSERT_FALSE(Swap().ok());
  raise("failed", "in");
  EXPECT_EQ(ids(), (std::set<std::string>{"failed", "former", "formerAsAWhole"}));
  world_.Do([&] { world_.failing.clear(); });
  ASSERT_TRUE(Swap().ok());
  raise("next", "in");
  EXPECT_EQ(ids(), std::set<std::string>{"next"});
}

TEST_F(SwapTest, AShutdownDoesNotWaitForASwap) {
  Run({kIn});
  world_.Do([&] { world_.blocked = {"in"}; });
  std::thread swap([&] { EXPECT_FALSE(runtime_->Swap(next_, kLong).ok()); });
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("in") == std::vector{1, 11}; }));
  std::thread shutdown([&] { runtime_->Shutdown(); });
  swap.join();  // well before its time, with the version still hanging
  world_.Do([&] { world_.blocked.clear(); });
  shutdown.join();
  EXPECT_TRUE(Alive({}));
}

TEST_F(SwapTest, AfterTheShutdownThereIsNone) {
  runtime_->Shutdown();
  EXPECT_EQ(Swap().error().code(), Code::kUnavailable);
}

TEST_F(SwapTest, WhatAVersionDiscoversIsWhatIsShown) {
  world_.discover = [](int connector) {
    Discovered found;
    found.streams.push_back(Ingress("of" + std::to_string(connector)));
    return found;
  };
  next_->mutable_descriptor()->discovers = true;
  EXPECT_THAT(runtime_->Streams(), IsEmpty());
  ASSERT_TRUE(Swap().ok());
  const auto views = runtime_->Streams();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].stream.id, "of11");
  ASSERT_TRUE(runtime_->Swap(std::make_shared<FakePlugin>(&world_, 20), kLong).ok());
  EXPECT_THAT(runtime_->Streams(), IsEmpty());
}

}  // namespace
}  // namespace kps::test
