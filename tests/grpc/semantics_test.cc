// The contract, sentence by sentence, as a client sees it.

#include <gmock/gmock.h>

#include <cmath>

#include "tests/grpc/fixture.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string StreamJson(const std::string& id, const std::string& channel = "c", const std::string& metadata = "{}",
                       const std::string& direction = "INGRESS") {
  return R"({"stream":{"id":")" + id + R"(","direction":"STREAM_DIRECTION_)" + direction + R"(","transportChannel":")" +
         channel + R"(","metadata":)" + metadata + "}}";
}
std::string ConfigJson(const std::string& metadata) { return R"({"config":{"metadata":)" + metadata + "}}"; }

class Semantics : public testing::Test {
 protected:
  v1::ResponseCode Set(const std::vector<std::string>& payloads) {
    std::string list;
    for (const auto& payload : payloads) list += (list.empty() ? "" : ",") + payload;
    return fixture_.Set(R"({"connectorId":"me","payloads":[)" + list + "]}").code();
  }
  std::vector<v1::Stream> Streams() {
    std::vector<v1::Stream> streams;
    const auto response = fixture_.Get(v1::PAYLOAD_KIND_STREAM);
    for (const auto& payload : response.payloads()) streams.push_back(payload.stream());
    return streams;
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const auto& stream : Streams()) ids.push_back(stream.id());
    return ids;
  }
  bool AllRun() {
    return Eventually([this] {
      const auto streams = Streams();
      return std::all_of(streams.begin(), streams.end(), [](const auto& stream) { return stream.subscribed(); });
    });
  }
  std::string Config() { return OneLine(fixture_.Get(v1::PAYLOAD_KIND_CONFIG).payloads(0).config().metadata()); }
  int Creations(const std::string& id) {
    return fixture_.plant().Do([&] { return fixture_.plant().creations[id]; });
  }
  // "kind id STATE" of each event of the stream.
  std::vector<std::string> EventsOf(const std::string& stream_id) {
    std::vector<std::string> lines;
    const auto response = fixture_.Events();
    for (const auto& payload : response.event_payloads()) {
      if (payload.has_alert() && payload.alert().stream_id() == stream_id)
        lines.push_back("alert " + payload.alert().id());
      if (payload.has_status() && payload.status().stream_id() == stream_id)
        lines.push_back("status " + payload.status().id());
    }
    return lines;
  }

  Fixture fixture_;
};

TEST_F(Semantics, TheStreamsInTheRequestAreTheWholeDesiredSet) {
  EXPECT_EQ(Set({StreamJson("a"), StreamJson("b")}), v1::RESPONSE_CODE_OK);
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
  EXPECT_EQ(Set({StreamJson("c"), StreamJson("b")}), v1::RESPONSE_CODE_OK);
  EXPECT_THAT(Ids(), ElementsAre("b", "c"));
}

TEST_F(Semantics, ConfigIsMergedKeyByKeyIntoTheCurrentConfig) {
  Set({ConfigJson(R"({"a":1,"b":{"x":1,"y":1}})")});
  Set({ConfigJson(R"({"b":{"x":2},"c":null})"), ConfigJson(R"({"d":4})")});
  google::protobuf::Struct expected;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(R"({"a":1,"b":{"x":2},"c":null,"d":4})", &expected).ok());
  EXPECT_EQ(Config(), OneLine(expected));
  EXPECT_EQ(fixture_.plant().Do([&] { return fixture_.plant().configs.back(); }),
            R"({"a":1,"b":{"x":2},"c":null,"d":4})");
}

TEST_F(Semantics, ARequestWithOnlyAConfigStopsEveryStream) {
  Set({StreamJson("a")});
  EXPECT_EQ(Set({ConfigJson(R"({"a":1})")}), v1::RESPONSE_CODE_OK);
  EXPECT_THAT(Ids(), IsEmpty());
}

TEST_F(Semantics, AnEmptyRequestStopsEveryStreamAndKeepsTheConfig) {
  Set({StreamJson("a"), ConfigJson(R"({"a":1})")});
  const std::string config = Config();
  EXPECT_EQ(Set({}), v1::RESPONSE_CODE_OK);
  EXPECT_THAT(Ids(), IsEmpty());
  EXPECT_EQ(Config(), config);
}

TEST_F(Semantics, TheSameStreamAgainChangesNothing) {
  const std::string stream = StreamJson("a", "c", R"({"x":{"b":[1,"ä"],"a":0.5}})");
  Set({stream});
  ASSERT_TRUE(AllRun());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Set({stream}), v1::RESPONSE_CODE_OK);
    EXPECT_TRUE(Streams()[0].subscribed());
  }
  EXPECT_EQ(Creations("a"), 1);
}

TEST_F(Semantics, TheSameIdWithOtherContentRestartsThatStreamAlone) {
  Set({StreamJson("a"), StreamJson("b")});
  ASSERT_TRUE(AllRun());
  for (const std::string& changed : {StreamJson("a", "other"), StreamJson("a", "other", R"({"x":1})"),
                                     StreamJson("a", "other", R"({"x":1})", "EGRESS")}) {
    const int before = Creations("a");
    EXPECT_EQ(Set({changed, StreamJson("b")}), v1::RESPONSE_CODE_OK);
    EXPECT_TRUE(Eventually([&] { return Creations("a") == before + 1; }));
    ASSERT_TRUE(AllRun());
  }
  EXPECT_EQ(Streams()[0].direction(), v1::STREAM_DIRECTION_EGRESS);
  EXPECT_EQ(Streams()[0].transport_channel(), "other");
  EXPECT_EQ(Creations("b"), 1);
}

TEST_F(Semantics, AnythingWrongAndNothingIsApplied) {
  Set({StreamJson("a"), ConfigJson(R"({"a":1})")});
  const std::string before = fixture_.State();
  EXPECT_EQ(Set({ConfigJson(R"({"a":2})"), StreamJson("b"), StreamJson("")}), v1::RESPONSE_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(fixture_.State(), before);
}

TEST_F(Semantics, AConfigThatThePluginRefusesIsRefusedWithItsReasonAndNothingIsApplied) {
  Set({StreamJson("a"), ConfigJson(R"({"a":1})")});
  const std::string before = fixture_.State();
  fixture_.plant().Do([&] { fixture_.plant().configure_error = Error(Code::kFailedPrecondition, "not on a Sunday"); });
  const auto status = fixture_.Set(R"({"connectorId":"me","payloads":[)" + ConfigJson(R"({"a":2})") + "]}");
  EXPECT_EQ(status.code(), v1::RESPONSE_CODE_INVALID_ARGUMENT) << "whatever the plugin's own code is";
  EXPECT_THAT(status.message(), testing::HasSubstr("FAILED_PRECONDITION: not on a Sunday"));
  EXPECT_THAT(Violations(status),
              ElementsAre(testing::AllOf(testing::StartsWith("payloads[0].config.metadata:"),
                                         testing::HasSubstr("not on a Sunday"))));
  EXPECT_EQ(fixture_.State(), before);
}

TEST_F(Semantics, AStreamThatCannotBeCarriedYetIsNoErrorOfTheCall) {
  fixture_.Connect(false);
  EXPECT_EQ(Set({StreamJson("a")}), v1::RESPONSE_CODE_OK);
  EXPECT_TRUE(Eventually([&] {
    return EventsOf("a") == std::vector<std::string>{"status streamStarted", "status streamUnhealthy"};
  }));
  EXPECT_FALSE(Streams()[0].subscribed());
}

TEST_F(Semantics, AHealthyStreamDoesNotKeepShowingAnOldFailure) {
  fixture_.Connect(false);
  Set({StreamJson("a")});
  ASSERT_TRUE(Eventually([&] {
    return EventsOf("a") == std::vector<std::string>{"status streamStarted", "status streamUnhealthy"};
  }));
  fixture_.Connect(true);
  EXPECT_TRUE(Eventually([&] {
    return EventsOf("a") == std::vector<std::string>{"status streamHealthy", "status streamStarted"};
  }));
  EXPECT_TRUE(Streams()[0].subscribed());
}

TEST_F(Semantics, GetPayloadConfigIsOneConfigAlsoWhereNoneWasSet) {
  const auto response = fixture_.Get(v1::PAYLOAD_KIND_CONFIG);
  ASSERT_EQ(response.payloads_size(), 1);
  EXPECT_TRUE(response.payloads(0).has_config());
}

TEST_F(Semantics, EveryDesiredStreamIsShownAsItWasSet) {
  Set({StreamJson("a", "x.y", R"({"k":[1,{"z":null}]})"), StreamJson("b", "x.*", "{}", "EGRESS")});
  const auto streams = Streams();
  ASSERT_EQ(streams.size(), 2u);
  const auto request = Fixture::FromJson(R"({"payloads":[)" + StreamJson("a", "x.y", R"({"k":[1,{"z":null}]})") + "]}");
  EXPECT_EQ(OneLine(streams[0].metadata()), OneLine(request.payloads(0).stream().metadata()));
  EXPECT_EQ(streams[0].direction(), v1::STREAM_DIRECTION_INGRESS);
  EXPECT_EQ(streams[1].transport_channel(), "x.*");
  EXPECT_FALSE(streams[0].discovered());
}

TEST_F(Semantics, EventsOfARemovedStreamGoAwayWithIt) {
  Set({StreamJson("a"), StreamJson("b")});
  ASSERT_TRUE(AllRun());
  EXPECT_THAT(EventsOf("a"), testing::Not(IsEmpty()));
  Set({StreamJson("b")});
  EXPECT_THAT(EventsOf("a"), IsEmpty());
  EXPECT_THAT(EventsOf("b"), testing::Not(IsEmpty()));
}

TEST_F(Semantics, EventsAreTheLatestOfTheirKindIdAndStreamWithTheirTime) {
  Set({StreamJson("a")});
  ASSERT_TRUE(AllRun());
  HostServices* services = fixture_.plant().Do([&] { return fixture_.plant().services; });
  for (const char* message : {"first", "second"}) {
    services->Raise({EventKind::kAlert, "mine", "", message, Severity::kWarning, State::kUnhealthy, 0, R"({"n":42})"});
  }
  const auto events = fixture_.Events();
  std::vector<v1::Alert> mine;
  for (const auto& payload : events.event_payloads()) {
    const auto& at = payload.has_alert() ? payload.alert().created_at() : payload.status().created_at();
    EXPECT_EQ(at.seconds(), 1'790'000'000);
    EXPECT_EQ(at.nanos(), 123'456'789);
    if (payload.has_alert()) mine.push_back(payload.alert());
  }
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0].message(), "second");
  EXPECT_EQ(mine[0].severity(), v1::SEVERITY_WARNING);
  EXPECT_EQ(mine[0].state(), v1::STATE_UNHEALTHY);
  EXPECT_EQ(mine[0].metadata().fields().at("n").number_value(), 42);
}

TEST_F(Semantics, AnEventThatIsNestedTooDeepDoesNotTakeTheOthersWithIt) {
  HostServices* services = fixture_.plant().Do([&] { return fixture_.plant().services; });
  for (const int levels : {32, 33, 60, 90, 200}) {
    std::string deep = "1";
    for (int i = 0; i < levels; ++i) deep = R"({"n":)" + deep + "}";
    services->Raise(
        {EventKind::kAlert, "deep" + std::to_string(levels), "", "m", Severity::kInfo, State::kHealthy, 0, deep});
  }
  services->Raise({EventKind::kAlert, "flat", "", "m", Severity::kInfo, State::kHealthy, 0, "{}"});
  EXPECT_EQ(fixture_.Events().event_payloads_size(), 6);
}

TEST_F(Semantics, NumbersReachThePluginAndComeBackAsTheyAre) {
  const std::pair<double, const char*> numbers[] = {
      {42, "42"},
      {0, "0"},
      {-0.0, "0"},  // JSON's integers have no negative zero, and 0 and -0 must not restart a stream
      {-1, "-1"},
      {0.1, "0.1"},
      {1e300, "1e+300"},
      {5e-324, "5e-324"},
      {9007199254740992.0, "9007199254740992"},
      {-9007199254740992.0, "-9007199254740992"},
      {9007199254740991.0, "9007199254740991"},
      {1e15, "1000000000000000"},
      {123456789.5, "123456789.5"},
  };
  auto request = Fixture::FromJson(R"({"connectorId":"me","payloads":[)" + StreamJson("a") + "]}");
  auto& fields = *request.mutable_payloads(0)->mutable_stream()->mutable_metadata()->mutable_fields();
  for (const auto& [number, text] : numbers) {
    fields["n"].set_number_value(number);
    ASSERT_EQ(fixture_.Set(request).code(), v1::RESPONSE_CODE_OK) << text;
    EXPECT_EQ(Streams()[0].metadata().fields().at("n").number_value(), number) << text;
    const std::string expected = R"({"n":)" + std::string(text) + "}";
    EXPECT_TRUE(Eventually([&] {
      return fixture_.plant().Do([&] { return fixture_.plant().created["a"] == expected; });
    })) << text
        << ": " << fixture_.plant().Do([&] { return fixture_.plant().created["a"]; });
  }
}

TEST_F(Semantics, TextsReachThePluginAndComeBackAsTheyAre) {
  const std::string texts[] = {"", "ä€😀", "\"\\/\b\f\n\r\t", std::string("a\0b", 3), "\x01\x1f\x7f", "\u2028\u2029"};
  auto request = Fixture::FromJson(R"({"connectorId":"me","payloads":[)" + StreamJson("a") + "]}");
  auto& fields = *request.mutable_payloads(0)->mutable_stream()->mutable_metadata()->mutable_fields();
  for (const std::string& text : texts) fields[text].set_string_value(text);
  ASSERT_EQ(fixture_.Set(request).code(), v1::RESPONSE_CODE_OK);
  EXPECT_EQ(OneLine(Streams()[0].metadata()), OneLine(request.payloads(0).stream().metadata()));
  ASSERT_TRUE(AllRun());
  const std::string given = fixture_.plant().Do([&] { return fixture_.plant().created["a"]; });
  EXPECT_EQ(given, R"({"":"","\u0001\u001F)"
                   "\x7f"
                   R"(":"\u0001\u001F)"
                   "\x7f"
                   R"(","\"\\/\b\f\n\r\t":"\"\\/\b\f\n\r\t",)"
                   R"("a\u0000b":"a\u0000b","ä€😀":"ä€😀",)"
                   "\"\u2028\u2029\":\"\u2028\u2029\"}");
}

}  // namespace
}  // namespace kps::test
