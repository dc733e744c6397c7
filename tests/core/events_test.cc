// Events: the ones that clients know, to the letter, and what remains of them when things change.
#include <algorithm>
#include <thread>

#include "host/core/json.h"
#include "host/core/stream_events.h"
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

struct Known {
  const KnownEvent& type;
  EventKind kind;
  const char* id;
  const char* message;
  Severity severity;
  State state;
};

TEST(EventNames, AreThoseThatClientsKnow) {
  const Known known[] = {
      {kTransportPublishFailed, EventKind::kAlert, "transportPublishFailed", "failed to publish message on transport",
       Severity::kCritical, State::kFailed},
      {kTransportSubscribeFailed, EventKind::kAlert, "transportSubscribeFailed", "failed to subscribe to transport",
       Severity::kCritical, State::kFailed},
      {kTransportUnsubscribeFailed, EventKind::kAlert, "transportUnsubscribeFailed",
       "failed to unsubscribe from transport", Severity::kCritical, State::kFailed},
      {kStreamStarted, EventKind::kStatus, "streamStarted", "stream has successfully started", Severity::kUnspecified,
       State::kProvisioned},
      {kStreamHealthy, EventKind::kStatus, "streamHealthy", "stream is healthy", Severity::kUnspecified,
       State::kHealthy},
      {kStreamUnhealthy, EventKind::kStatus, "streamUnhealthy", "stream is unhealthy", Severity::kUnspecified,
       State::kUnhealthy},
  };
  for (const Known& one : known) {
    EXPECT_EQ(one.type.kind, one.kind) << one.id;
    EXPECT_EQ(one.type.id, one.id);
    EXPECT_EQ(one.type.message, one.message);
    EXPECT_EQ(one.type.severity, one.severity) << one.id;
    EXPECT_EQ(one.type.state, one.state) << one.id;
  }
}

class Events : public RuntimeTest {
 public:
  std::string MetadataOf(const KnownEvent& type, const std::string& stream_id) {
    const auto event = Find(type, stream_id);
    return event ? event->metadata_json : "none";
  }
  // The states that a person would see for the stream.
  std::vector<State> StatesOf(const std::string& stream_id) {
    std::vector<State> states;
    for (const Event& event : runtime_->Events()) {
      if (event.stream_id == stream_id) states.push_back(event.state);
    }
    return states;
  }
  void PluginRaises(const std::string& stream_id, const std::string& id) {
    HostServices* services = world_.Do([&] { return world_.services; });
    services->Raise({EventKind::kAlert, id, stream_id, "m", Severity::kInfo, State::kUnhealthy, 0, ""});
  }
};

std::string NoConnection(const std::string& direction, const std::string& stream_id) {
  return R"({"ErrorMessage":"UNAVAILABLE: no connection","ExtraMessage":{"channel":"c","direction":")" + direction +
         R"("},"StreamID":")" + stream_id + "\"}";
}

const std::vector<State> kGood{State::kHealthy, State::kProvisioned};

TEST_F(Events, AStreamThatRunsIsStartedAndHealthy) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_EQ(StatesOf("in"), kGood);
  const std::string metadata =
      R"({"ErrorMessage":"","ExtraMessage":{"channel":"c","direction":"INGRESS"},"StreamID":"in"})";
  EXPECT_EQ(MetadataOf(kStreamStarted, "in"), metadata);
  EXPECT_EQ(MetadataOf(kStreamHealthy, "in"), metadata);
  for (const Event& event : runtime_->Events()) EXPECT_EQ(event.created_at_ns, FakeClock::kNowNs);
}

TEST_F(Events, AFailureSaysWhyAndIsGoneAfterTheRecovery) {
  world_.create_errors = {Error(Code::kPermissionDenied, "wrong password")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  EXPECT_EQ(StatesOf("in"), (std::vector<State>{State::kFailed, State::kUnhealthy}));
  const std::string reason = "cannot create the consumer: PERMISSION_DENIED: wrong password";
  for (const KnownEvent& type : {kStreamFailed, kStreamUnhealthy}) {
    EXPECT_NE(MetadataOf(type, "in").find("\"ErrorMessage\":\"" + reason + "\""), std::string::npos) << type.id;
  }
  ASSERT_TRUE(Set({kIn}, {{{"password", "\"right\""}}}).error.ok());
  EXPECT_TRUE(Eventually([&] { return StatesOf("in") == kGood; }));
}

TEST_F(Events, TransportPublishFailedStaysUntilItIsPublished) {
  world_.Do([&] {
    world_.source = {"a"};
    world_.publish_errors.assign(1000, Error(Code::kUnavailable, "no connection"));
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kTransportPublishFailed, "in") && Has(kStreamUnhealthy, "in"); }));
  EXPECT_EQ(MetadataOf(kTransportPublishFailed, "in"), NoConnection("INGRESS", "in"));
  EXPECT_FALSE(Subscribed());
  world_.Do([&] { world_.publish_errors.clear(); });
  EXPECT_TRUE(Eventually([&] { return StatesOf("in") == kGood; }));
  EXPECT_EQ(Published(), Texts{"a"});
}

TEST_F(Events, TransportSubscribeFailedStaysUntilItIsSubscribed) {
  world_.subscribe_errors.assign(1000, Error(Code::kUnavailable, "no connection"));
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kTransportSubscribeFailed, "out") && Has(kStreamUnhealthy, "out"); }));
  EXPECT_EQ(MetadataOf(kTransportSubscribeFailed, "out"), NoConnection("EGRESS", "out"));
  world_.Do([&] { world_.subscribe_errors.clear(); });
  EXPECT_TRUE(Eventually([&] { return StatesOf("out") == kGood; }));
}

TEST_F(Events, ATransportThatIsAwayMakesAStreamUnhealthyUntilItIsBack) {
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.connected = false; });
  EXPECT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "in") && Has(kStreamUnhealthy, "out"); }));
  EXPECT_FALSE(Has(kStreamHealthy, "in"));
  world_.Do([&] { world_.connected = true; });
  EXPECT_TRUE(Eventually([&] { return StatesOf("in") == kGood && StatesOf("out") == kGood; }));
}

TEST_F(Events, AnAlertAboutOneMessageIsNotTheStateOfTheStream) {
  world_.refused = "bad";
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  ASSERT_TRUE(Eventually([&] { return Has(kMessageUndeliverable, "out") && Has(kStreamHealthy, "out"); }));
  for (const State state : StatesOf("out")) EXPECT_TRUE(state != State::kFailed && state != State::kUnhealthy);
}

TEST_F(Events, OfTheFormerContentGoWithIt) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  PluginRaises("in", "brokerVersion");
  ASSERT_EQ(StatesOf("in").size(), 3u);
  StreamSpec changed = kIn;
  changed.metadata_json = "{\"a\":1}";
  ASSERT_TRUE(Set({changed}).error.ok());
  EXPECT_TRUE(Eventually([&] { return StatesOf("in") == kGood; }));
}

TEST_F(Events, OfARemovedStreamDoNotComeBack) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  ASSERT_TRUE(Set({}).error.ok());
  PluginRaises("in", "late");
  EXPECT_TRUE(runtime_->Events().empty());
}

TEST_F(Events, OfARemovedStreamAreNotTakenForThoseOfItsSuccessor) {
  world_.blocked = {"in"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Created().size() == 1; }));
  PluginRaises("in", "early");
  EXPECT_EQ(StatesOf("in").size(), 1u) << "what is raised from within create is welcome";
  ASSERT_TRUE(Set({}).error.ok());
  // Streams start in the order of their ids: when the second one runs, the first one has come as far as it can.
  ASSERT_TRUE(Set({kIn, {"later", Direction::kIngress, "d", "{}"}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return StatesOf("later") == kGood; }));
  // The former run is still in the plugin: what it raises is its own, and nobody's any more.
  PluginRaises("in", "late");
  EXPECT_EQ(StatesOf("in"), std::vector<State>());
  world_.Do([&] { world_.blocked.clear(); });
  EXPECT_TRUE(Eventually([&] { return StatesOf("in") == kGood; }));
}

TEST_F(Events, APluginThatFloodsIsBoundedAndPushesNothingOfTheHostOut) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  for (int i = 0; i < 10'000; ++i) {
    PluginRaises("in", "e" + std::to_string(i));
    PluginRaises("", "e" + std::to_string(i));
    PluginRaises("nobody" + std::to_string(i), "e");
  }
  EXPECT_EQ(runtime_->Events().size(), 2 * EventStore::kEventsPerStreamMax + 2);
  EXPECT_TRUE(Has(kStreamStarted, "in"));
  EXPECT_TRUE(Has(kStreamHealthy, "in"));
}

TEST_F(Events, OfTheHostCannotBeRaisedByThePlugin) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  const auto before = runtime_->Events().size();
  HostServices* services = world_.Do([&] { return world_.services; });
  for (const char* id :
       {"streamHealthy", "streamUnhealthy", "transportPublishFailed", "streamFailed", "stateNotSaved"}) {
    for (const EventKind kind : {EventKind::kAlert, EventKind::kStatus}) {
      services->Raise({kind, id, "in", "a lie", Severity::kInfo, State::kUnhealthy, 0, ""});
    }
  }
  EXPECT_EQ(runtime_->Events().size(), before);
  for (const Event& event : runtime_->Events()) EXPECT_NE(event.message, "a lie") << event.id;
  EXPECT_EQ(world_.Do([&] {
    return std::count_if(world_.log.begin(), world_.log.end(), [](const std::string& line) {
      return line.starts_with("in: the plugin has raised the event ");
    });
  }),
            5)
      << "a line for each name";
}

TEST_F(Events, AMetricOfARemovedStreamDoesNotComeBack) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  HostServices* services = world_.Do([&] { return world_.services; });
  services->CounterAdd("in", "lines", 1);
  services->GaugeSet("in", "lag", 1);
  services->CounterAdd("", "reads", 1);
  EXPECT_EQ(runtime_->metrics().Counters().size(), 2u);
  ASSERT_TRUE(Set({}).error.ok());
  services->CounterAdd("in", "lines", 1);
  services->GaugeSet("in", "lag", 1);
  EXPECT_EQ(runtime_->metrics().Counters().size(), 1u) << "that of the connector";
  EXPECT_TRUE(runtime_->metrics().Gauges().empty());
}

TEST(StreamEventsOfOneRun, EndWithIt) {
  World world;
  FakeLogger logger(&world);
  FakeClock clock;
  EventStore store(&clock);
  StreamEvents former(&kIn, &store, &logger);
  former.Started();
  EXPECT_TRUE(store.List().empty()) << "before it was opened";
  former.Open();
  former.Unhealthy("away");
  EXPECT_EQ(store.List().size(), 1u);
  former.Close();
  store.RemoveStream("in");

  StreamEvents next(&kIn, &store, &logger);
  next.Open();
  next.Failed("no password");
  former.Failed("too late");
  EXPECT_TRUE(former.Healthy());
  former.Open();
  former.Raise(kMessageUndeliverable, "too late");
  const auto events = store.List();
  ASSERT_EQ(events.size(), 2u) << "streamFailed and streamUnhealthy of the next run";
  for (const Event& event : events) {
    EXPECT_NE(event.metadata_json.find("no password"), std::string::npos) << event.metadata_json;
  }
}

TEST(StreamEventsOfOneRun, SayThatTheFormerRunIsWaitedForUntilItHasEnded) {
  World world;
  FakeLogger logger(&world);
  FakeClock clock;
  EventStore store(&clock);
  StreamEvents events(&kIn, &store, &logger);
  events.WaitsForFormerRun("it is in next_msg");
  events.WaitsForFormerRun("it is in destroy_consumer");
  ASSERT_EQ(store.List().size(), 1u);
  EXPECT_EQ(store.List()[0].id, "streamUnhealthy");
  EXPECT_NE(store.List()[0].metadata_json.find("destroy_consumer"), std::string::npos);
  EXPECT_EQ(world.log, Texts{"in: it is in next_msg"}) << "a line for the wait, not for each function";
  store.Put({EventKind::kAlert, "late", "in", "m", Severity::kInfo, State::kUnhealthy, 0, "", true});
  EXPECT_EQ(store.List().size(), 1u) << "what the plugin raises is still the former run's";
  events.Open();
  EXPECT_TRUE(store.List().empty());
  events.Close();
  events.WaitsForFormerRun("too late");
  EXPECT_TRUE(store.List().empty());
}

}  // namespace
}  // namespace kps::test
