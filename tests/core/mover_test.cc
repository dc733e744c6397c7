// "Recreate me": a new connector, to which the streams move one by one.
#include <algorithm>
#include <thread>

#include "host/core/stream_mover.h"
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

StreamSpec Ingress(const std::string& id) { return {id, Direction::kIngress, id, "{}"}; }

class Mover : public RuntimeTest {
 public:
  Mover() {
    world_.configure = [](const std::string&) { return ConfigureOutcome::kRecreate; };
  }
  Runtime::SetOutcome Recreate(std::vector<StreamSpec> streams) {
    return Set(std::move(streams), {{{"generation", std::to_string(++generation_)}}});
  }
  Texts PublishedOn(const std::string& channel) {
    return world_.Do([&] {
      Texts payloads;
      for (const auto& [to, payload] : world_.published) {
        if (to == channel) payloads.push_back(payload);
      }
      return payloads;
    });
  }

 private:
  int generation_ = 0;
};

using Connectors = std::vector<int>;

TEST_F(Mover, EveryStreamGoesOnFromItsPosition) {
  const std::vector<StreamSpec> streams{Ingress("a"), Ingress("b"), kOut};
  ASSERT_TRUE(Set(streams).error.ok());
  Texts sent;
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) {
      sent.push_back(std::to_string(sent.size()));
      world_.Do([&] { world_.source.push_back(sent.back()); });
      world_.Send("c", sent.back());
    }
  };
  send(100);
  ASSERT_TRUE(
      Eventually([&] { return !PublishedOn("a").empty() && !PublishedOn("b").empty() && !Produced().empty(); }));
  ASSERT_TRUE(Recreate(streams).error.ok());
  send(100);
  for (const char* channel : {"a", "b"}) {
    EXPECT_TRUE(Eventually([&] { return PublishedOn(channel) == sent; })) << channel;
  }
  EXPECT_TRUE(Comes(sent, &RuntimeTest::Produced));
  EXPECT_TRUE(Alive({2}));
  for (const char* id : {"a", "b", "out"}) EXPECT_EQ(ConnectorsOf(id), (Connectors{1, 2})) << id;
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1);
  EXPECT_EQ(Configs(), (Texts{"create 1 {}", "configure 1 {\"generation\":1}", "create 2 {\"generation\":1}"}));
}

TEST_F(Mover, ANewConnectorThatCannotBeCreatedRefusesTheConfig) {
  ASSERT_TRUE(Set({Ingress("a")}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.connector_errors = {Error(Code::kUnavailable, "no such broker")}; });
  const auto outcome = Recreate({Ingress("b")});
  EXPECT_EQ(outcome.error.code(), Code::kUnavailable);
  ASSERT_EQ(outcome.violations.size(), 1u);
  EXPECT_EQ(outcome.violations[0].field, "payloads[1].config.metadata");
  EXPECT_NE(outcome.violations[0].description.find("no such broker"), std::string::npos);
  EXPECT_TRUE(runtime_->Config().empty());
  world_.Do([&] { world_.source.push_back("x"); });
  EXPECT_TRUE(Eventually([&] { return PublishedOn("a") == Texts{"x"}; }));
  EXPECT_EQ(ConnectorsOf("a"), Connectors{1});
  EXPECT_TRUE(Alive({1}));
}

TEST_F(Mover, TheNextStreamWaitsForTheOneBeforeIt) {
  const std::vector<StreamSpec> streams{Ingress("a"), Ingress("b")};
  ASSERT_TRUE(Set(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.blocked = {"a"}; });
  ASSERT_TRUE(Recreate(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1, 2}; }));
  world_.Do([&] { world_.source.push_back("x"); });
  EXPECT_TRUE(Eventually([&] { return PublishedOn("b") == Texts{"x"}; })) << "b goes on where it is";
  EXPECT_EQ(ConnectorsOf("b"), Connectors{1});
  EXPECT_TRUE(Alive({1, 2}));
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("b") == Connectors{1, 2}; }));
  EXPECT_TRUE(Alive({2}));
}

TEST_F(Mover, ASetPayloadInTheMiddleCounts) {
  const std::vector<StreamSpec> streams{Ingress("a"), Ingress("b"), Ingress("c"), Ingress("d")};
  ASSERT_TRUE(Set(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.blocked = {"a"}; });
  ASSERT_TRUE(Recreate(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1, 2}; }));
  // b is stopped, c changes, e is new, a and d stay.
  StreamSpec changed = Ingress("c");
  changed.channel = "other";
  ASSERT_TRUE(Set({Ingress("a"), changed, Ingress("d"), Ingress("e")}).error.ok());
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("c") == Connectors{1, 2}; }));
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("e") == Connectors{2}; }));
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Alive({2}));
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }));
  EXPECT_EQ(ConnectorsOf("a"), (Connectors{1, 2}));
  EXPECT_EQ(ConnectorsOf("b"), Connectors{1});
  EXPECT_EQ(ConnectorsOf("c"), (Connectors{1, 2})) << "it was moved already by its change";
  EXPECT_EQ(ConnectorsOf("d"), (Connectors{1, 2}));
}

TEST_F(Mover, AnotherRecreateInTheMiddleWins) {
  const std::vector<StreamSpec> streams{Ingress("a"), Ingress("b")};
  ASSERT_TRUE(Set(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.blocked = {"a"}; });
  ASSERT_TRUE(Recreate(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1, 2}; }));
  ASSERT_TRUE(Recreate(streams).error.ok());
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1, 2, 3}; }));
  EXPECT_TRUE(Alive({3}));
  EXPECT_EQ(ConnectorsOf("b"), (Connectors{1, 3}));
}

TEST_F(Mover, ShutdownInTheMiddleEndsEverything) {
  const std::vector<StreamSpec> streams{Ingress("a"), Ingress("b"), kOut};
  ASSERT_TRUE(Set(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.blocked = {"a"}; });
  ASSERT_TRUE(Recreate(streams).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1, 2}; }));
  std::thread shutting([&] { runtime_->Shutdown(); });
  EXPECT_TRUE(Eventually([&] { return runtime_->Streams().empty(); }));
  world_.Do([&] { world_.blocked.clear(); });
  shutting.join();
  EXPECT_EQ(world_.Do([&] { return world_.connectors_alive; }), std::set<int>());
  EXPECT_EQ(ConnectorsOf("b"), Connectors{1});
}

TEST_F(Mover, AFailedStreamIsTriedOnTheNewConnector) {
  world_.create_errors = {Error(Code::kUnauthenticated, "wrong password")};
  ASSERT_TRUE(Set({Ingress("a")}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "a"); }));
  ASSERT_TRUE(Recreate({Ingress("a")}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Subscribed() && Has(kStreamHealthy, "a"); }));
  EXPECT_FALSE(Has(kStreamFailed, "a"));
  EXPECT_TRUE(Alive({2}));
}

TEST_F(Mover, AConnectorGoesWhenAStreamThatWasRemovedHasEnded) {
  world_.blocked = {"a"};
  ASSERT_TRUE(Set({Ingress("a")}).error.ok());
  ASSERT_TRUE(Eventually([&] { return ConnectorsOf("a") == Connectors{1}; }));
  ASSERT_TRUE(Recreate({}).error.ok());
  EXPECT_TRUE(Alive({1, 2}));
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Alive({2})) << "without another SetPayload";
}

TEST_F(Mover, AStreamThatDoesNotSettleHoldsTheOthersOnlyForAWhile) {
  EventStore events(&clock_);
  Ledgers ledgers;
  PluginCalls calls;
  EndingThreads ending;
  StreamEnvironment environment{.transport = &transport_,
                                .events = &events,
                                .logger = &logger_,
                                .clock = &clock_,
                                .ledgers = &ledgers,
                                .calls = &calls,
                                .ending = &ending};
  auto connector = std::make_shared<FakeConnector>(&world_, 7);
  world_.blocked = {"a"};
  std::vector<std::shared_ptr<StreamRunner>> moved;
  {
    StreamMover mover(
        [&]() -> StreamMover::Moved {
          if (moved.size() == 2) return {};
          moved.push_back(StreamRunner::Create(Ingress(moved.empty() ? "a" : "b"), environment).value());
          moved.back()->Launch(connector, nullptr);
          return {moved.back(), true};
        },
        &ending, std::chrono::milliseconds(50));
    mover.Start(nullptr);
    EXPECT_TRUE(Eventually([&] { return ConnectorsOf("b") == Connectors{7}; }));
    EXPECT_EQ(ConnectorsOf("a"), Connectors{7});
  }
  world_.Do([&] { world_.blocked.clear(); });
}

}  // namespace
}  // namespace kps::test
