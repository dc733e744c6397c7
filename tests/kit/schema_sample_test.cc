#include "cli/kit/schema_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/kit/check/schema_hostile.h"
#include "host/core/json.h"
#include "host/core/schema.h"

namespace kps::cli {
namespace {

using testing::HasSubstr;

std::string Sample(const std::string& properties, SampleParameters parameters = SampleParameters::kShown) {
  const auto sample = SampleOf("{\"type\":\"object\",\"properties\":{" + properties + "}}", parameters);
  return sample.ok() ? sample.value() : sample.failure().text;
}

TEST(SchemaSample, HasTheValuesThatTheSchemaShows) {
  EXPECT_EQ(Sample(R"("a":{"default":1})"), R"({"a":1})");
  EXPECT_EQ(Sample(R"("a":{"examples":["x","y"]})"), R"({"a":"x"})");
  EXPECT_EQ(Sample(R"("a":{"example":[2]})"), R"({"a":[2]})");
  EXPECT_EQ(Sample(R"("a":{"enum":["on","off"]})"), R"({"a":"on"})");
  EXPECT_EQ(Sample(R"("a":{"type":"integer"})"), "{}") << "it is neither required nor has it a value to show";
}

TEST(SchemaSample, MakesUpTheSimplestThatIsValid) {
  const auto all = SampleParameters::kAll;
  EXPECT_EQ(Sample(R"("a":{"type":"string"})", all), R"({"a":"sample"})");
  EXPECT_EQ(Sample(R"("a":{"type":"string","maxLength":3})", all), R"({"a":"sam"})");
  EXPECT_EQ(Sample(R"("a":{"type":"string","minLength":8})", all), R"({"a":"samplexx"})");
  EXPECT_EQ(Sample(R"("a":{"type":"integer","minimum":10})", all), R"({"a":10})");
  EXPECT_EQ(Sample(R"("a":{"type":"integer","minimum":10,"exclusiveMinimum":true})", all), R"({"a":11})");
  EXPECT_EQ(Sample(R"("a":{"type":"integer","maximum":-5})", all), R"({"a":-5})");
  EXPECT_EQ(Sample(R"("a":{"type":"integer","minimum":5,"multipleOf":4})", all), R"({"a":8})");
  EXPECT_EQ(Sample(R"("a":{"type":["boolean","null"]})", all), R"({"a":false})");
  EXPECT_EQ(Sample(R"("a":{"type":"array","minItems":2,"items":{"type":"integer"}})", all), R"({"a":[1,1]})");
  EXPECT_EQ(Sample(R"("a":{"type":"object","required":["b"],"properties":{"b":{"minimum":3}}})", all),
            R"({"a":{"b":3.0}})");
}

TEST(SchemaSample, FollowsReferencesAndAlternatives) {
  EXPECT_EQ(SampleOf(R"({"type":"object","required":["a"],"properties":{"a":{"$ref":"#/definitions/n"}},
                         "definitions":{"n":{"type":"integer","minimum":7}}})")
                .value(),
            R"({"a":7})");
  EXPECT_EQ(SampleOf(R"({"type":"object","oneOf":[{"required":["a"],"properties":{"a":{"pattern":"^[0-9]{40}$"}}},
                         {"required":["b"]}]})")
                .value(),
            R"({"b":"sample"})")
      << "no string is made up for the pattern, so the other alternative it is";
  EXPECT_EQ(SampleOf("").value(), "{}");
}

TEST(SchemaSample, LeavesOutWhatIsAboutTheOtherDirectionUnlessItIsRequired) {
  const std::string schema = R"({"required": ["r"], "properties": {
      "i": {"default": 1, "description": "INGRESS: one"}, "e": {"default": 2, "description": "EGRESS, mode x: two"},
      "r": {"default": 3, "description": "INGRESS: three"}}})";
  const auto of = [&](Direction direction) { return SampleOf(schema, SampleParameters::kShown, direction).value(); };
  EXPECT_EQ(of(Direction::kIngress), R"({"i":1,"r":3})");
  EXPECT_EQ(of(Direction::kEgress), R"({"e":2,"r":3})");
  EXPECT_EQ(of(Direction::kUnspecified), R"({"i":1,"e":2,"r":3})");
}

TEST(SchemaSample, SaysWhatIsInTheWay) {
  EXPECT_THAT(
      SampleOf(R"({"type":"object","required":["a"],"properties":{"a":{"pattern":"^[0-9]{40}$"}}})").failure().text,
      HasSubstr("parameters.a"));
  EXPECT_THAT(SampleOf(R"({"type":"integer"})").failure().text, HasSubstr("not that of an object"));
  EXPECT_THAT(SampleOf(R"({"type":"objekt"})").failure().text, HasSubstr("objekt"));
}

TEST(HostileParameters, AreManyAndTheSameForASeed) {
  HostileParameters first("{\"a\":1,\"b\":{\"c\":[\"d\"]}}", 5);
  HostileParameters second("{\"a\":1,\"b\":{\"c\":[\"d\"]}}", 5);
  std::set<std::string> different;
  int objects = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = first.Next();
    ASSERT_EQ(text, second.Next());
    different.insert(text);
    objects += ParseJsonObject(text).ok() ? 1 : 0;
  }
  EXPECT_GT(different.size(), 500u);
  EXPECT_GT(objects, 300) << "most of them get as far as the plugin's own reading";
  EXPECT_LT(objects, 950) << "and some do not";
}

TEST(HostileParameters, LeadNowhereElse) {
  HostileParameters hostile("{\"path\":\"sample\"}", 6);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = hostile.Next();
    EXPECT_EQ(text.find(".."), std::string::npos) << text;
    EXPECT_EQ(text.find("\"/"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace kps::cli
