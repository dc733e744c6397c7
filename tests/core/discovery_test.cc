// Streams that the plugin discovers, in GetPayload.
#include "host/core/discovery.h"

#include <atomic>
#include <thread>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

StreamSpec Found(const std::string& id) { return {id, Direction::kIngress, "", "{\"path\":\"" + id + "\"}"}; }

Discovered Of(std::vector<std::string> ids) {
  Discovered discovered;
  for (const std::string& id : ids) discovered.streams.push_back(Found(id));
  return discovered;
}

class DiscoveryTest : public RuntimeTest {
 public:
  DiscoveryTest() {
    plugin_.mutable_descriptor()->discovers = true;
    Start();
  }
  // "in: subscribed", ...
  Texts Streams() {
    Texts texts;
    for (const auto& view : runtime_->Streams()) {
      texts.push_back(view.stream.id + ':' + (view.subscribed ? " subscribed" : "") +
                      (view.discovered ? " discovered" : ""));
    }
    return texts;
  }
};

TEST_F(DiscoveryTest, ListsWhatIsNotDesiredAfterWhatIs) {
  world_.discover = [](int) { return Of({"a", "in"}); };
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Streams() == Texts{"in: subscribed", "out: subscribed", "a: discovered"}; }));
  EXPECT_EQ(runtime_->Streams().back().stream, Found("a"));
  EXPECT_EQ(runtime_->Streams().front().stream, kIn) << "what is desired is shown as it was set";
}

TEST_F(DiscoveryTest, ADesiredStreamIsNeverShownAsOnlyDiscovered) {
  world_.discover = [](int) { return Of({"in"}); };
  world_.create_error = {{"in", Error(Code::kPermissionDenied, "wrong password")}};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  // A client that sends along what is desired would otherwise leave it out, and so stop it.
  EXPECT_EQ(Streams(), Texts{"in:"});
}

TEST_F(DiscoveryTest, AnswersFromItsCacheWhileThatIsFresh) {
  std::atomic<int> calls{0};
  world_.discover = [&](int) {
    ++calls;
    return Of({"a"});
  };
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Streams(), Texts{"a: discovered"});
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_EQ(Streams().size(), 2u);
  EXPECT_EQ(calls, 1) << "streams change nothing out there";
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok());
  EXPECT_EQ(Streams(), Texts{"a: discovered"});
  EXPECT_EQ(calls, 2) << "with another config, something else may be found";
}

TEST_F(DiscoveryTest, AsksTheNewConnector) {
  world_.discover = [](int connector) { return Of({"of " + std::to_string(connector)}); };
  EXPECT_EQ(Streams(), Texts{"of 2: discovered"}) << "the first one is of the fixture";
  world_.configure = [](const std::string&) { return ConfigureOutcome::kRecreate; };
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok());
  EXPECT_EQ(Streams(), Texts{"of 3: discovered"});
}

TEST_F(DiscoveryTest, APluginThatDoesNotDiscoverIsNeverAsked) {
  plugin_.mutable_descriptor()->discovers = false;
  Start();
  world_.discover = [](int) -> Result<Discovered> {
    ADD_FAILURE() << "asked";
    return Discovered();
  };
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_EQ(runtime_->Streams().size(), 1u);
}

TEST_F(DiscoveryTest, IsNeverAskedWhileTheConnectorIsConfiguredOrDestroyed) {
  std::atomic<bool> busy{false};
  std::atomic<int> asked{0};
  const auto exclusive = [&] {
    EXPECT_FALSE(busy.exchange(true));
    std::this_thread::yield();
    busy = false;
  };
  world_.discover = [&](int connector) {
    exclusive();
    ++asked;
    EXPECT_TRUE(world_.Do([&] { return world_.connectors_alive.contains(connector); }));
    return Of({"a"});
  };
  world_.configure = [&](const std::string& json) {
    exclusive();
    return json.find('7') == std::string::npos ? ConfigureOutcome::kApplied : ConfigureOutcome::kRecreate;
  };
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) EXPECT_EQ(runtime_->Streams().size(), 1u);
  });
  int set = 0;
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Set({}, {{{"a", std::to_string(++set)}}}).error.ok());
    return set >= 300 && asked >= 50;
  }));
  done = true;
  reader.join();
}

TEST_F(DiscoveryTest, ShutdownWaitsForTheAnswer) {
  std::atomic<bool> asked{false}, answer{false};
  world_.discover = [&](int connector) {
    asked = true;
    EXPECT_TRUE(Eventually([&] { return answer.load(); }));
    EXPECT_TRUE(world_.Do([&] { return world_.connectors_alive.contains(connector); }));
    return Of({"a"});
  };
  std::thread reader([&] { (void)runtime_->Streams(); });
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  std::thread shutting([&] { runtime_->Shutdown(); });
  EXPECT_TRUE(Eventually([&] { return Set({}).error.code() == Code::kUnavailable; }));
  answer = true;
  shutting.join();
  reader.join();
  EXPECT_TRUE(world_.Do([&] { return world_.connectors_alive.empty(); }));
}

// Discovery by itself, with other times.
class DiscoveryCache : public RuntimeTest {
 public:
  std::shared_ptr<FakeConnector> connector_ = std::make_shared<FakeConnector>(&world_, 7);
  EventStore events_{&clock_};

  static Texts Ids(Discovery* discovery) {
    Texts ids;
    const auto streams = discovery->Streams();
    for (const auto& [id, stream] : *streams) ids.push_back(id);
    return ids;
  }
};

TEST_F(DiscoveryCache, AsksAgainWhenItIsStale) {
  std::atomic<int> calls{0};
  world_.discover = [&](int) { return Of({std::to_string(++calls)}); };
  Discovery discovery(&events_, &logger_, {milliseconds(0), milliseconds(20'000), milliseconds(1)});
  discovery.Use(connector_);
  EXPECT_EQ(Ids(&discovery), Texts{"1"});
  EXPECT_EQ(Ids(&discovery), Texts{"2"});
}

TEST_F(DiscoveryCache, APluginThatHangsIsWaitedForOnce) {
  std::atomic<bool> hanging{false}, release{false};
  std::atomic<int> calls{0};
  world_.discover = [&](int) {
    const int call = ++calls;
    EXPECT_TRUE(!hanging || Eventually([&] { return release.load(); }));
    return Of({std::to_string(call)});
  };
  Discovery discovery(&events_, &logger_, {milliseconds(0), milliseconds(1000), milliseconds(1)});
  discovery.Use(connector_);
  EXPECT_EQ(Ids(&discovery), Texts{"1"});
  hanging = true;
  auto began = steady_clock::now();
  EXPECT_EQ(Ids(&discovery), Texts{"1"}) << "the last known";
  EXPECT_GE(steady_clock::now() - began, milliseconds(1000));
  began = steady_clock::now();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ids(&discovery), Texts{"1"});
  EXPECT_LT(steady_clock::now() - began, milliseconds(900)) << "they wait no more, and ask no more";
  EXPECT_EQ(calls, 2);
  release = true;
  EXPECT_TRUE(Eventually([&] { return Ids(&discovery) != Texts{"1"}; }));
}

TEST_F(DiscoveryCache, IsPausedOnceThePluginHasAnsweredAndNotWhileItHangs) {
  std::atomic<bool> asked{false}, release{false};
  world_.discover = [&](int) {
    asked = true;
    EXPECT_TRUE(Eventually([&] { return release.load(); }));
    return Of({"1"});
  };
  Discovery discovery(&events_, &logger_, {milliseconds(0), milliseconds(1), milliseconds(50), milliseconds(50)});
  discovery.Use(connector_);
  EXPECT_TRUE(Ids(&discovery).empty());
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  const Error hangs = discovery.Pause();
  EXPECT_EQ(hangs.code(), Code::kUnavailable);
  EXPECT_NE(hangs.message().find("has not come back from discover"), std::string::npos) << hangs.message();
  release = true;
  EXPECT_TRUE(Eventually([&] { return discovery.Pause().ok(); }));
  asked = false;
  EXPECT_EQ(Ids(&discovery), Texts{"1"}) << "what is known; the plugin is not asked";
  EXPECT_FALSE(asked);
  discovery.Resume();
  EXPECT_TRUE(Eventually([&] { return asked.load(); })) << "what was wanted meanwhile";
}

TEST_F(DiscoveryCache, AFailureRaisesAnAlertAndKeepsWhatIsKnown) {
  std::atomic<bool> failing{false};
  world_.discover = [&](int) -> Result<Discovered> {
    if (failing) return Error(Code::kUnavailable, "the broker is away");
    return Of({"a"});
  };
  Discovery discovery(&events_, &logger_, {milliseconds(0), milliseconds(20'000), milliseconds(1)});
  discovery.Use(connector_);
  EXPECT_EQ(Ids(&discovery), Texts{"a"});
  failing = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ids(&discovery), Texts{"a"});
  const auto events = events_.List();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kAlert);
  EXPECT_EQ(events[0].id, "discoveryFailed");
  EXPECT_EQ(events[0].metadata_json, R"({"ErrorMessage":"UNAVAILABLE: the broker is away"})");
  failing = false;
  EXPECT_EQ(Ids(&discovery), Texts{"a"});
  EXPECT_TRUE(events_.List().empty());
}

TEST_F(DiscoveryCache, AFailureIsNotAskedForAgainAtOnce) {
  std::atomic<int> calls{0};
  world_.discover = [&](int) -> Result<Discovered> {
    ++calls;
    return Error(Code::kUnavailable, "away");
  };
  Discovery discovery(&events_, &logger_);
  discovery.Use(connector_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ids(&discovery), Texts{});
  EXPECT_EQ(calls, 1);
}

TEST_F(DiscoveryCache, IsBoundedAndSaysOnceWhatWasSkipped) {
  world_.discover = [&](int) {
    Discovered discovered;
    for (std::size_t i = 0; i < Discovered::kStreamsMax + 5; ++i)
      discovered.streams.push_back(Found(std::to_string(i)));
    discovered.skipped = 3;
    discovered.skipped_reason = "has no id";
    return discovered;
  };
  Discovery discovery(&events_, &logger_, {milliseconds(0), milliseconds(20'000), milliseconds(1)});
  discovery.Use(connector_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(discovery.Streams()->size(), Discovered::kStreamsMax);
  EXPECT_EQ(world_.Do([&] { return world_.log; }), Texts{": discovery: 3 streams were skipped; the first has no id"});
}

}  // namespace
}  // namespace kps::test
