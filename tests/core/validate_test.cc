#include "host/core/validate.h"

#include <gtest/gtest.h>

namespace kps {
namespace {

Rules MakeRules() {
  return {"me",
          "fake",
          true,
          false,
          Schema::Parse(R"({"required":["url"],"properties":{"url":{"type":"string"}}})").value(),
          Schema::Parse(R"({"properties":{"broker":{"type":"string"}}})").value()};
}

StreamSpec Good() { return {"s", Direction::kIngress, "a.b", "{}"}; }

struct Case {
  const char* name;
  SetPayloadCommand command;
  std::vector<std::string> fields;  // of the violations
};

StreamSpec With(void (*change)(StreamSpec*)) {
  StreamSpec stream = Good();
  change(&stream);
  return stream;
}

TEST(Validate, NamesEveryViolation) {
  const std::vector<Case> cases{
      {"nothing", {"me", {}}, {}},
      {"good", {"me", {Good()}}, {}},
      {"other connector", {"you", {Good()}}, {"connector_id"}},
      {"no connector", {"", {}}, {"connector_id"}},
      {"empty payload", {"me", {std::monostate()}}, {"payloads[0]"}},
      {"no id", {"me", {With([](StreamSpec* s) { s->id = ""; })}}, {"payloads[0].stream.id"}},
      {"long id", {"me", {With([](StreamSpec* s) { s->id = std::string(2000, 'x'); })}}, {"payloads[0].stream.id"}},
      {"duplicate", {"me", {Good(), Good()}}, {"payloads[1].stream.id"}},
      {"no direction",
       {"me", {With([](StreamSpec* s) { s->direction = Direction::kUnspecified; })}},
       {"payloads[0].stream.direction"}},
      {"direction the plugin has not",
       {"me", {With([](StreamSpec* s) { s->direction = Direction::kEgress; })}},
       {"payloads[0].stream.direction"}},
      {"no channel", {"me", {With([](StreamSpec* s) { s->channel = ""; })}}, {"payloads[0].stream.transport_channel"}},
      {"metadata",
       {"me", {With([](StreamSpec* s) { s->metadata_json = R"({"broker":1})"; })}},
       {"payloads[0].stream.metadata.broker"}},
      {"config", {"me", {ConfigPatch{{{"url", "1"}}}}}, {"payloads[0].config.metadata.url"}},
      {"incomplete config", {"me", {ConfigPatch{{{"x", "1"}}}}}, {"payloads[0].config.metadata.url"}},
      {"config of the payload that sets it last",
       {"me", {ConfigPatch{{{"url", "1"}}}, Good(), ConfigPatch{{{"url", "2"}}}}},
       {"payloads[2].config.metadata.url"}},
      {"a number that is no direction",
       {"me", {With([](StreamSpec* s) { s->direction = static_cast<Direction>(7); })}},
       {"payloads[0].stream.direction"}},
      {"metadata that could not be read, and the rest",
       {"me",
        {With([](StreamSpec* s) { s->id = ""; }), With([](StreamSpec* s) { s->metadata_json = R"({"broker":null})"; })},
        {{1, {"payloads[1].stream.metadata.broker", "is NaN"}}}},
       {"payloads[0].stream.id", "payloads[1].stream.metadata.broker"}},
      {"all, in order",
       {"you", {std::monostate(), Good(), With([](StreamSpec* s) { s->channel = "a b"; })}},
       {"connector_id", "payloads[0]", "payloads[2].stream.transport_channel", "payloads[2].stream.id"}},
  };
  for (const Case& one : cases) {
    std::vector<std::string> fields;
    for (const Violation& violation : Validate(one.command, MakeRules(), {})) {
      fields.push_back(violation.field);
      EXPECT_FALSE(violation.description.empty());
    }
    EXPECT_EQ(fields, one.fields) << one.name;
  }
}

TEST(Validate, ChecksTheMergedConfig) {
  const SetPayloadCommand command{"me", {ConfigPatch{{{"x", "1"}}}}};
  EXPECT_TRUE(Validate(command, MakeRules(), {{"url", "\"u\""}}).empty());
  EXPECT_EQ(MergedConfig(command, {{"url", "\"u\""}, {"x", "0"}}), (JsonMembers{{"url", "\"u\""}, {"x", "1"}}));
}

TEST(Validate, NamesABoundedNumberAndSaysSo) {
  SetPayloadCommand command{"me", {}};
  command.payloads.resize(5000);
  const auto violations = Validate(command, MakeRules(), {});
  ASSERT_EQ(violations.size(), kCommandViolationsMax + 1);
  EXPECT_EQ(violations.back().description, "have more violations: the first 1000 are named");
}

TEST(Validate, LongTextsAreShortened) {
  StreamSpec stream = Good();
  stream.id = std::string(1000, 'x');
  for (const auto& violation : Validate({std::string(10'000, 'y'), {stream, stream}}, MakeRules(), {})) {
    EXPECT_LT(violation.description.size(), 250u) << violation.field;
  }
}

TEST(Validate, ChannelsFollowTheRulesOfNats) {
  for (const char* good : {"a", "a.b.c", "a-b_c.d$1", "\xC3\xA4"}) {
    EXPECT_EQ(CheckChannel(good, Direction::kIngress), "") << good;
    EXPECT_EQ(CheckChannel(good, Direction::kEgress), "") << good;
  }
  for (const char* wildcard : {"*", ">", "a.*", "a.*.b", "a.>"}) {
    EXPECT_NE(CheckChannel(wildcard, Direction::kIngress), "") << wildcard;
    EXPECT_EQ(CheckChannel(wildcard, Direction::kEgress), "") << wildcard;
  }
  for (const char* bad : {"", ".", ".a", "a.", "a..b", "a b", "a\tb", "a\nb", "a\x7F", "a*", "a.b>", ">.a"}) {
    EXPECT_NE(CheckChannel(bad, Direction::kEgress), "") << bad;
    EXPECT_NE(CheckChannel(bad, Direction::kIngress), "") << bad;
  }
  EXPECT_NE(CheckChannel(std::string("a\0b", 3), Direction::kEgress), "");
  EXPECT_NE(CheckChannel(std::string(2000, 'a'), Direction::kEgress), "");
}

}  // namespace
}  // namespace kps
