#include "cli/kit/inspect/schema_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kps::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

SchemaRow Only(const std::string& schema) {
  const auto rows = SchemaRows(R"({"properties": {"p": )" + schema + "}}");
  EXPECT_THAT(rows, SizeIs(1));
  return rows.empty() ? SchemaRow{} : rows.front();
}

std::vector<std::string> Parameters(const std::string& schema) {
  std::vector<std::string> names;
  for (const SchemaRow& row : SchemaRows(schema)) names.push_back(row.parameter);
  return names;
}

TEST(SchemaRowsTest, NestedObjectsAndArrays) {
  EXPECT_THAT(SchemaRows(R"({"type": "object", "required": ["broker"], "properties": {
                "broker": {"type": "object", "required": ["host"], "properties": {
                  "host": {"type": "string", "minLength": 1, "description": "Its name"},
                  "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 1883}}},
                "topics": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^[a-z]+$"}},
                "rules": {"type": "array", "items": {"properties": {"to": {}}}}}})"),
              ElementsAre(SchemaRow{"broker", "object", true, "", "", ""},
                          SchemaRow{"broker.host", "string", true, "", "at least 1 character", "Its name"},
                          SchemaRow{"broker.port", "integer", false, "1883", "1 to 65535", ""},
                          SchemaRow{"topics[]", "array of string", false, "",
                                    "at least 1 element; each matches /^[a-z]+$/", ""},
                          SchemaRow{"rules[]", "array of object", false, "", "", ""},
                          SchemaRow{"rules[].to", "any", false, "", "", ""}));
}

TEST(SchemaRowsTest, Types) {
  EXPECT_EQ(Only("{}").type, "any");
  EXPECT_EQ(Only(R"({"type": ["string", "null"]})").type, "string or null");
  EXPECT_EQ(Only(R"({"enum": ["a", "b", 1, 1.5, true, null, {}, []]})").type,
            "string or integer or number or boolean or null or object or array");
}

TEST(SchemaRowsTest, Limits) {
  EXPECT_EQ(Only(R"({"enum": ["a", 2]})").limits, "one of \"a\", 2");
  EXPECT_EQ(Only(R"({"enum": [true]})").limits, "only true");
  EXPECT_EQ(Only(R"({"minimum": 0, "exclusiveMinimum": true, "maximum": 1.5, "exclusiveMaximum": true})").limits,
            "more than 0, less than 1.5");
  EXPECT_EQ(Only(R"({"minimum": 0, "multipleOf": 4})").limits, "at least 0, a multiple of 4");
  EXPECT_EQ(Only(R"({"minLength": 3, "maxLength": 3})").limits, "exactly 3 characters");
  EXPECT_EQ(Only(R"({"maxItems": 1, "uniqueItems": true})").limits, "at most 1 element, all different");
  EXPECT_EQ(Only(R"({"minProperties": 1, "maxProperties": 2})").limits, "1 to 2 keys");
}

TEST(SchemaRowsTest, KeysThatHaveNoName) {
  EXPECT_THAT(Parameters(R"({"patternProperties": {"^x-": {}}, "additionalProperties": {"properties": {"a": {}}}})"),
              ElementsAre("/^x-/", "*", "*.a"));
}

TEST(SchemaRowsTest, ReferencesAndAlternatives) {
  EXPECT_THAT(Parameters(R"({"definitions": {"name": {"properties": {"first": {}}}},
                             "properties": {"who": {"$ref": "#/definitions/name"}},
                             "anyOf": [{"properties": {"a": {}}}, {"$ref": "#/definitions/name"}]})"),
              ElementsAre("who", "who.first", "a", "first"));
}

TEST(SchemaRowsTest, SchemaThatHoldsItselfIsShownOnce) {
  EXPECT_THAT(Parameters(R"({"properties": {"child": {"$ref": "#"}, "twin": {"$ref": "#"}}})"),
              ElementsAre("child", "twin"));
  EXPECT_THAT(Parameters(R"({"definitions": {"n": {"properties": {"left": {"$ref": "#/definitions/n"}}}},
                             "properties": {"tree": {"$ref": "#/definitions/n"}}})"),
              ElementsAre("tree", "tree.left"));
}

TEST(SchemaRowsTest, NothingToShow) {
  EXPECT_THAT(SchemaRows(""), IsEmpty());
  EXPECT_THAT(SchemaRows("{}"), IsEmpty());
  EXPECT_THAT(SchemaRows(R"({"type": "text", "properties": {"a": {}}})"), IsEmpty());
}

}  // namespace
}  // namespace kps::cli
