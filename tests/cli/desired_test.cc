#include "cli/desired.h"

#include <gtest/gtest.h>

#include "tests/cli/fake_connector.h"

namespace kps::cli {
namespace {

std::string ValueOf(const std::string& assignment) {
  const auto parsed = ParseAssignment(assignment);
  return parsed.ok() ? ToJson(parsed.value()) : parsed.failure().text;
}

TEST(ParseAssignment, ValueIsJsonWhereItIsValidJsonElseAString) {
  EXPECT_EQ(ValueOf("k=5"), R"({"k":5})");
  EXPECT_EQ(ValueOf("k=true"), R"({"k":true})");
  EXPECT_EQ(ValueOf("k=null"), R"({"k":null})");
  EXPECT_EQ(ValueOf(R"(k={"a":[1]})"), R"({"k":{"a":[1]}})");
  EXPECT_EQ(ValueOf(R"(k="5")"), R"({"k":"5"})");
  EXPECT_EQ(ValueOf("k=warm"), R"({"k":"warm"})");
  EXPECT_EQ(ValueOf("k=007"), R"({"k":"007"})");
  EXPECT_EQ(ValueOf("k="), R"({"k":""})");
  EXPECT_EQ(ValueOf("k=a=b"), R"({"k":"a=b"})");
}

TEST(ParseAssignment, JsonThatCannotBeSentAsItIsDoesNotBecomeAString) {
  EXPECT_EQ(ValueOf("k=9007199254740993"),
            "k: 9007199254740993 would become 9007199254740992, as numbers are doubles: write it as a string, "
            "\"9007199254740993\" (quoted for the shell as well)");
  EXPECT_TRUE(ParseAssignment("k=9007199254740992").ok());
  EXPECT_FALSE(ParseAssignment(R"(k={"a":[9007199254740993]})").ok());
  EXPECT_EQ(ValueOf(R"(k="9007199254740993")"), R"({"k":"9007199254740993"})");
  EXPECT_EQ(ValueOf("k=no 9007199254740993"), R"({"k":"no 9007199254740993"})");

  const auto lists = [](int levels) {
    return "k=" + std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  EXPECT_EQ(ValueOf(lists(31)), "{\"k\":" + lists(31).substr(2) + "}");
  for (const int levels : {32, 60, 100'000}) {
    EXPECT_EQ(ValueOf(lists(levels)), "k: is nested too deep: a config has up to 32 levels") << levels;
  }
  EXPECT_EQ(ValueOf("k=" + std::string(40, '[')), "{\"k\":\"" + std::string(40, '[') + "\"}");
}

TEST(ParseAssignment, EmptyKeyIsRefused) { EXPECT_FALSE(ParseAssignment("=5").ok()); }

TEST(Desired, DiscoveredStreamsAreLeftOutAndOutputOnlyFieldsCleared) {
  const auto current = FromJson<v1::GetPayloadResponse>(
      R"({"payloads":[{"stream":{"id":"a","subscribed":true}},{"stream":{"id":"b","discovered":true}}]})");
  EXPECT_EQ(ToJson(DesiredStreams(current)), R"({"payloads":[{"stream":{"id":"a"}}]})");
}

TEST(Desired, AddedStreamTakesThePlaceOfTheSameId) {
  auto request = FromJson<v1::SetPayloadRequest>(R"({"payloads":[{"stream":{"id":"a"}},{"stream":{"id":"b"}}]})");
  AddOrReplace(FromJson<v1::SetPayloadRequest>(
                   R"({"payloads":[{"stream":{"id":"a","transportChannel":"n"}},{"stream":{"id":"c"}}]})"),
               &request);
  EXPECT_EQ(
      ToJson(request),
      R"({"payloads":[{"stream":{"id":"a","transportChannel":"n"}},{"stream":{"id":"b"}},{"stream":{"id":"c"}}]})");
}

TEST(Desired, RemovingAnUnknownIdListsTheKnownOnes) {
  const auto request = FromJson<v1::SetPayloadRequest>(R"({"payloads":[{"stream":{"id":"a"}},{"stream":{"id":"b"}}]})");
  const auto removed = WithoutStreams(request, {"a", "x"});
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.failure().text, "no stream \"x\" is set, so nothing was changed; those that are: a, b");
  EXPECT_EQ(ToJson(WithoutStreams(request, {"a"}).value()), R"({"payloads":[{"stream":{"id":"b"}}]})");
}

}  // namespace
}  // namespace kps::cli
