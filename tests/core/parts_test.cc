// The small parts of core: plan, events, back-off, JSON.
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "host/core/backoff.h"
#include "host/core/event_store.h"
#include "host/core/json.h"
#include "host/core/plan.h"

namespace kps {
namespace {

StreamSpec Spec(std::string id, Direction direction = Direction::kIngress, std::string channel = "c",
                std::string metadata = "{}") {
  return {std::move(id), direction, std::move(channel), std::move(metadata)};
}

TEST(Plan, PutsEveryIdInOneList) {
  const StreamMap current{{"channel", Spec("channel")},
                          {"direction", Spec("direction")},
                          {"gone", Spec("gone")},
                          {"metadata", Spec("metadata")},
                          {"same", Spec("same")}};
  const StreamMap desired{{"channel", Spec("channel", Direction::kIngress, "other")},
                          {"direction", Spec("direction", Direction::kEgress)},
                          {"metadata", Spec("metadata", Direction::kIngress, "c", "{\"a\":1}")},
                          {"new", Spec("new")},
                          {"same", Spec("same")}};
  const Plan plan = PlanStreams(current, desired);
  EXPECT_EQ(plan, (Plan{{"new"}, {"same"}, {"channel", "direction", "metadata"}, {"gone"}}));
  EXPECT_EQ(PlanStreams({}, {}), Plan{});
}

class FixedClock : public Clock {
 public:
  std::int64_t NowNs() const override { return ++now_; }
  mutable std::int64_t now_ = 1000;
};

Event Status(std::string id, std::string stream, std::string message = "m") {
  return {EventKind::kStatus, std::move(id), std::move(stream), std::move(message), {}, State::kHealthy, 0, "{}"};
}

TEST(EventStore, KeepsTheLatestOfAKindIdAndStream) {
  FixedClock clock;
  EventStore store(&clock);
  store.AddStream("s");
  store.Put(Status("e", "s", "old"));
  store.Put(Status("e", "s", "new"));
  store.Put(Status("e", ""));
  Event alert = Status("e", "s");
  alert.kind = EventKind::kAlert;
  alert.created_at_ns = 7;
  store.Put(alert);
  const auto events = store.List();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].stream_id, "");
  EXPECT_EQ(events[1].kind, EventKind::kAlert);
  EXPECT_EQ(events[1].created_at_ns, 7);
  EXPECT_EQ(events[2].message, "new");
  EXPECT_GT(events[2].created_at_ns, 1001);
}

TEST(EventStore, EventsGoWithTheirStream) {
  FixedClock clock;
  EventStore store(&clock);
  const auto of_plugin = [](const char* id) {
    Event event = Status(id, "s");
    event.origin = 1;
    return event;
  };
  store.Put(of_plugin("early"));
  EXPECT_TRUE(store.List().empty());
  store.AddStream("s");
  store.Put(of_plugin("e"));
  store.Put(Status("of-the-host", "s"));
  EXPECT_EQ(store.List().size(), 2u);
  store.RemoveStream("s");
  store.Put(of_plugin("late"));
  EXPECT_TRUE(store.List().empty());
}

TEST(EventStore, AFloodIsBoundedAndTheOldestGivesWay) {
  FixedClock clock;
  EventStore store(&clock);
  store.AddStream("a");
  store.AddStream("b");
  store.Put(Status("kept", "b"));
  store.Put(Status("a-of-the-host", "a"));
  for (int i = 0; i < 10'000; ++i) {
    Event event = Status("e" + std::to_string(i), "a", std::string(5000, 'x'));
    event.origin = 1;
    store.Put(event);
  }
  const auto events = store.List();
  ASSERT_EQ(events.size(), EventStore::kEventsPerStreamMax + 2);
  EXPECT_EQ(events.front().id, "a-of-the-host");
  EXPECT_EQ(events.back().id, "kept");
  for (const Event& event : events) {
    EXPECT_LE(event.message.size(), EventStore::kTextBytesMax);
    if (event.origin != 0) {
      EXPECT_GE(std::stoi(event.id.substr(1)), 10'000 - 64);
    }
  }
}

TEST(EventStore, CutsNoCharacterInTwo) {
  FixedClock clock;
  EventStore store(&clock);
  store.Put(Status("e", "", std::string(EventStore::kTextBytesMax - 1, 'x') + "\u00e4"));
  EXPECT_EQ(store.List()[0].message, std::string(EventStore::kTextBytesMax - 1, 'x'));
}

TEST(Backoff, DoublesWithinItsBoundsAndStartsAgain) {
  Backoff backoff(1);
  for (int round = 0; round < 2; ++round) {
    std::int64_t ceiling = 100;
    for (int i = 0; i < 12; ++i) {
      const auto delay = backoff.Next().count();
      EXPECT_GE(delay, ceiling / 2);
      EXPECT_LE(delay, ceiling);
      ceiling = std::min<std::int64_t>(ceiling * 2, 30'000);
    }
    backoff.Reset();
  }
}

TEST(Json, StringsOfAnArray) {
  EXPECT_EQ(JsonStrings(R"(["a", "b\"]", 1, ["c"]])"), (std::vector<std::string>{"a", "b\"]"}));
  EXPECT_TRUE(JsonStrings("{}").empty());
  EXPECT_TRUE(JsonStrings("").empty());
}

TEST(Json, ReadsAndWritesAnObject) {
  const auto members = ParseJsonObject(R"( {"b": [1, 2.5, null], "a": {"x": "\u00e4\n"}} )");
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(ToJson(members.value()), "{\"a\":{\"x\":\"\u00e4\\n\"},\"b\":[1,2.5,null]}");
  EXPECT_EQ(ToJson({}), "{}");
  EXPECT_EQ(JsonOfStrings({{"k", "a\"b"}}), R"({"k":"a\"b"})");
}

TEST(Json, NumbersKeepEveryDigit) {
  for (int i = 1; i < 5000; ++i) {
    const double number = std::ldexp(1.0 / i, i % 80 - 40);
    char text[64];
    const std::string json = "{\"a\":" + std::string(text, std::to_chars(text, text + sizeof text, number).ptr) + "}";
    const std::string kept = ParseJsonObject(json).value().at("a");
    ASSERT_EQ(std::strtod(kept.c_str(), nullptr), number) << json;
  }
  EXPECT_EQ(ParseJsonObject(R"({"a":9007199254740991})").value().at("a"), "9007199254740991");
}

TEST(Json, NamesLineAndColumn) {
  const auto broken = ParseJsonObject("{\n  \"a\": 1,\n  oops\n}");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code(), Code::kInvalidArgument);
  EXPECT_NE(broken.error().message().find("line 3, column 3"), std::string::npos) << broken.error().message();
  EXPECT_FALSE(ParseJsonObject("[]").ok());
  EXPECT_FALSE(ParseJsonObject("").ok());
  EXPECT_FALSE(IsJson("{"));
  EXPECT_TRUE(IsJson("3"));
  EXPECT_EQ(JsonStringValue(R"("a\u00e4")"), "a\u00e4");
  EXPECT_EQ(JsonStringValue("3"), std::nullopt);
  EXPECT_EQ(JsonStringValue("\"open"), std::nullopt);
}

TEST(Json, DepthDoesNotTakeTheStack) {
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(IsJson(deep));
}

}  // namespace
TEST(LocateJson, FollowsThePathAsFarAsItLeads) {
  const std::string json = R"({ "a" : [ 1, {"b":"}\"]", "c" : [[2] , 3]} ], "d.e": -1.5e3 , "f":true})";
  const auto at = [&](const char* path) { return json.substr(LocateJson(json, path), 3); };
  EXPECT_EQ(at(""), "{ \"");
  EXPECT_EQ(at("a"), "\"a\"");
  EXPECT_EQ(at("a[0]"), "1, ");
  EXPECT_EQ(at("a[1].b"), "\"b\"");
  EXPECT_EQ(at("a[1].c[0][0]"), "2] ");
  EXPECT_EQ(at("a[1].c[1]"), "3]}");
  EXPECT_EQ(at("f"), "\"f\"");
  EXPECT_EQ(at("a[1].c[7].x"), "\"c\"") << "there is no such element";
  EXPECT_EQ(at("a[1].x.y"), "{\"b");
  EXPECT_EQ(at("f.g"), "\"f\"");
  EXPECT_EQ(at("a["), "1, ");
}

}  // namespace kps
