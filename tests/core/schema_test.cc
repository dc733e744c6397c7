#include "host/core/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/schema.h>

#include <random>
#include <thread>

#include "host/core/schema_rules.h"

namespace kps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "place: sentence" of each violation.
std::vector<std::string> Check(const std::string& schema, const std::string& json) {
  const auto parsed = Schema::Parse(schema);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message() << " in " << schema;
  std::vector<std::string> lines;
  if (!parsed.ok()) return lines;
  for (const auto& [field, description] : parsed.value().Check(json, "m")) lines.push_back(field + ": " + description);
  return lines;
}

std::string ProblemOf(const std::string& schema) {
  const auto parsed = Schema::Parse(schema);
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.error().code(), Code::kInvalidArgument);
  return parsed.error().message();
}

TEST(Schema, AnEmptyTextAcceptsEverything) { EXPECT_THAT(Check("", R"({"a":[1]})"), IsEmpty()); }

TEST(Schema, NamesEveryMissingMemberByItsOwnPath) {
  EXPECT_THAT(Check(R"({"required":["a","b","c"]})", R"({"b":1})"), ElementsAre("m.a: is missing", "m.c: is missing"));
}

TEST(Schema, NamesWhatIsUnknownAndWhatIsKnown) {
  EXPECT_THAT(
      Check(R"({"properties":{"path":{},"from":{}},"additionalProperties":false})", R"({"x":1,"path":2,"y":3})"),
      ElementsAre("m.x: is not a parameter of the plugin; it knows: path, from",
                  "m.y: is not a parameter of the plugin; it knows: path, from"));
  EXPECT_THAT(Check(R"({"additionalProperties":false})", R"({"x":1})"),
              ElementsAre("m.x: is not a parameter of the plugin; it knows none here"));
}

struct Case {
  const char* schema;  // of the member v
  const char* value;
  const char* sentence;
};

TEST(Schema, SaysForEachKeywordWhatIsThereAndWhatMayBe) {
  const Case cases[] = {
      {R"({"type":"integer"})", R"("x")", "is a string, but must be an integer"},
      {R"({"type":"integer"})", "1.5", "is a number, but must be an integer"},
      {R"({"type":["string","null","array"]})", "true", "is a boolean, but must be a string, null or an array"},
      {R"({"type":"object"})", "null", "is null, but must be an object"},
      {R"({"enum":["a","b",3]})", R"("c")", R"(is "c", but must be one of: "a", "b", 3)"},
      {R"({"enum":["a"]})", "[1]", R"(is an array, but must be one of: "a")"},
      {R"({"minimum":1})", "0", "is 0, but must be at least 1"},
      {R"({"maximum":65535})", "70000", "is 70000, but must be at most 65535"},
      {R"({"minimum":0,"exclusiveMinimum":true})", "0", "is 0, but must be more than 0"},
      {R"({"maximum":0.5,"exclusiveMaximum":true})", "0.5", "is 0.5, but must be less than 0.5"},
      {R"({"minimum":-5})", "-6", "is -6, but must be at least -5"},
      {R"({"multipleOf":10})", "25", "is 25, but must be a multiple of 10"},
      {R"({"multipleOf":10})", "-25", "is -25, but must be a multiple of 10"},
      {R"({"minLength":3})", R"("äö")", "has 2 characters, but needs at least 3"},
      {R"({"maxLength":1})", R"("ab")", "has 2 characters, but may have at most 1"},
      {R"({"pattern":"^[a-z]+$"})", R"("secret 1")", "does not match the pattern ^[a-z]+$"},
      {R"({"minItems":2})", "[1]", "has 1 element, but needs at least 2"},
      {R"({"maxItems":0})", "[1]", "has 1 element, but may have at most 0"},
      {R"({"minProperties":1})", "{}", "has 0 members, but needs at least 1"},
      {R"({"maxProperties":0})", R"({"a":1})", "has 1 member, but may have at most 0"},
      {R"({"not":{"type":"string"}})", R"("a")", R"(must not fit {"type":"string"})"},
      {R"({"anyOf":[{"required":["a"]},{"type":"null"}]})", "{}",
       "fits none of the plugin's alternatives: .a is missing; or it is an object, but must be null"},
      {R"({"oneOf":[{"type":"integer"},{"minimum":5}]})", "7",
       "fits 2 of the plugin's alternatives, but must fit exactly one"},
      {R"({"oneOf":[{"type":"null"},{"type":"array"}]})", "7",
       "fits none of the plugin's alternatives: it is an integer, but must be null; or it is an integer, but must be "
       "an "
       "array"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(
        Check(R"({"properties":{"v":)" + std::string(one.schema) + "}}", R"({"v":)" + std::string(one.value) + "}"),
        ElementsAre("m.v: " + std::string(one.sentence)))
        << one.schema;
  }
}

TEST(Schema, NamesEveryViolationOfNestedObjectsAndArrays) {
  const char schema[] = R"({"properties":{
    "list":{"type":"array","items":{"type":"object","required":["id","n"],"additionalProperties":false,
            "properties":{"id":{"type":"string"},"n":{"type":"integer","minimum":1}}}},
    "pair":{"items":[{"type":"string"},{"type":"integer"}],"additionalItems":false},
    "set":{"uniqueItems":true}}})";
  EXPECT_THAT(Check(schema, R"({"list":[{"id":1,"n":0},{"id":"a","n":1},{"x":1},7],"pair":[1,"a",2],"set":[1,2,1]})"),
              ElementsAre("m.list[0].id: is an integer, but must be a string",               //
                          "m.list[0].n: is 0, but must be at least 1",                       //
                          "m.list[2].id: is missing",                                        //
                          "m.list[2].n: is missing",                                         //
                          "m.list[2].x: is not a parameter of the plugin; it knows: id, n",  //
                          "m.list[3]: is an integer, but must be an object",                 //
                          "m.pair[0]: is an integer, but must be a string",                  //
                          "m.pair[1]: is a string, but must be an integer",                  //
                          "m.pair[2]: is too many: there are at most 2 elements",            //
                          "m.set[2]: is the same as the element [0]"));
}

TEST(Schema, FollowsReferencesAlsoToItself) {
  const char tree[] = R"({"$ref":"#/definitions/node","definitions":{"node":{"type":"object","required":["name"],
    "properties":{"name":{"$ref":"#/definitions/name"},"children":{"items":{"$ref":"#/definitions/node"}}}},
    "name":{"type":"string"}}})";
  EXPECT_THAT(Check(tree, R"({"name":"a","children":[{"name":"b","children":[]}]})"), IsEmpty());
  EXPECT_THAT(Check(tree, R"({"name":1,"children":[{"children":[{"name":2}]}]})"),
              ElementsAre("m.name: is an integer, but must be a string",  //
                          "m.children[0].name: is missing",
                          "m.children[0].children[0].name: is an integer, but must be a string"));
}

TEST(Schema, LooksIntoAllOfAndDependencies) {
  EXPECT_THAT(Check(R"({"allOf":[{"required":["a"]},{"required":["b"]}]})", "{}"),
              ElementsAre("m.a: is missing", "m.b: is missing"));
  const char schema[] = R"({"dependencies":{"user":["password"],"tls":{"required":["ca"]}}})";
  EXPECT_THAT(Check(schema, R"({"password":"p"})"), IsEmpty());
  EXPECT_THAT(Check(schema, R"({"user":"u","tls":true})"),
              ElementsAre("m.password: is missing: it is needed with user", "m.ca: is missing"));
}

TEST(Schema, PatternPropertiesBesideNoOthersNeitherCrashNorMiss) {
  const char schema[] = R"({"patternProperties":{"^n_":{"type":"integer"}},"additionalProperties":false})";
  EXPECT_THAT(Check(schema, R"({"n_a":1,"n_b":2})"), IsEmpty());
  EXPECT_THAT(Check(schema, R"({"n_a":"x","other":1})"),
              ElementsAre("m.n_a: is a string, but must be an integer",
                          "m.other: is not a parameter of the plugin; it knows none here"));
}

TEST(Schema, KeysThatAreNoPlainWordsStandInBrackets) {
  const char schema[] = R"({"additionalProperties":{"type":"null"}})";
  EXPECT_THAT(
      Check(schema, R"({"a.b":1,"":1,"0":1,"x y":1,"q\"":1,"~/":1,"ä":1})"),
      ElementsAre(HasSubstr("m[\"a.b\"]: "), HasSubstr("m[\"\"]: "), HasSubstr("m.0: "), HasSubstr("m[\"x y\"]: "),
                  HasSubstr("m[\"q\\\"\"]: "), HasSubstr("m.~/: "), HasSubstr("m.ä: ")));
  EXPECT_THAT(Check(schema, R"({")" + std::string(10'000, 'k') + R"(":1})"),
              ElementsAre(testing::StartsWith("m[\"" + std::string(128, 'k') + "...\"]: ")));
}

TEST(Schema, NamesABoundedNumberAndSaysSo) {
  std::string array = "[0";
  for (int i = 1; i < 100; ++i) array += ",\"x\"";
  const auto violations = Check(R"({"items":{"type":"integer"}})", array + "]");
  ASSERT_EQ(violations.size(), Schema::kViolationsMax + 1);
  EXPECT_THAT(violations.front(), HasSubstr("m[1]: "));
  EXPECT_EQ(violations.back(), "m: has more violations: the first 32 are named");
}

TEST(Schema, AlternativesInAlternativesEnd) {
  std::string schema = R"({"type":"null"})";
  for (int i = 0; i < 6; ++i) schema = R"({"anyOf":[{"items":)" + schema + R"(},{"items":)" + schema + "}]}";
  std::string json = "1";
  for (int i = 0; i < 6; ++i) json = "[" + json + "," + json + "]";
  const auto parsed = Schema::Parse(R"({"properties":{"v":{"items":[{"type":"string"},)" + schema + "]}}}");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_FALSE(parsed.value().Check(R"({"v":[1]})", "m").empty());
}

TEST(Schema, ABrokenSchemaIsRefusedWithItsPlace) {
  const Case cases[] = {
      {R"([])", "", "a JSON object is needed"},
      {R"({"properties":{"port":{"type":"int"}}})", "",
       R"(at /properties/port/type: "int" is no type: use null, boolean)"},
      {R"({"type":["string","text"]})", "", R"(at /type: ["string","text"] is no type)"},
      {R"({"type":[]})", "", "at /type: [] is no type"},
      {R"({"required":true})", "", "at /required: must be an array of names, not empty"},
      {R"({"required":[1]})", "", "at /required: must be an array of names"},
      {R"({"properties":{"a":true}})", "", "at /properties/a: must be a schema, which is an object"},
      {R"({"properties":[]})", "", "at /properties: must be an object"},
      {R"({"enum":[]})", "", "at /enum: must be an array of values, not empty"},
      {R"({"items":5})", "", "at /items: must be a schema or an array of schemas"},
      {R"({"items":[{},5]})", "", "at /items/1: must be a schema"},
      {R"({"not":5})", "", "at /not: must be a schema"},
      {R"({"anyOf":[]})", "", "at /anyOf: must be an array of schemas, not empty"},
      {R"({"oneOf":[{},1]})", "", "at /oneOf/1: must be a schema"},
      {R"({"additionalProperties":1})", "", "at /additionalProperties: must be true, false or a schema"},
      {R"({"minLength":-1})", "", "at /minLength: must be a whole number that is not negative"},
      {R"({"minimum":"1"})", "", "at /minimum: must be a number"},
      {R"({"exclusiveMinimum":5})", "", "at /exclusiveMinimum: must be true or false (draft 4"},
      {R"({"multipleOf":0})", "", "at /multipleOf: must be a number above 0"},
      {R"({"uniqueItems":1})", "", "at /uniqueItems: must be true or false"},
      {R"({"properties":{"a":{"const":1}}})", "", "at /properties/a/const: is of a later draft"},
      {R"({"pattern":"^\\d+$"})", "", R"(at /pattern: "^\d+$" is no regular expression that the host knows)"},
      {R"({"pattern":"("})", "", "is no regular expression"},
      {R"x({"pattern":"a)"})x", "", "is no regular expression"},
      {R"x({"pattern":"(a|(b)"})x", "", "is no regular expression"},
      {R"x({"pattern":"[(]("})x", "", "is no regular expression"},
      {R"({"pattern":"[a"})", "", "is no regular expression"},
      {R"({"pattern":"*a"})", "", "is no regular expression"},
      {R"({"pattern":"a{2"})", "", "is no regular expression"},
      {R"({"pattern":"a|"})", "", "is no regular expression"},
      {R"({"pattern":"^{2}a"})", "", "is no regular expression"},
      {R"({"pattern":"|a"})", "", "is no regular expression"},
      {R"({"pattern":"b()a"})", "", "is no regular expression"},
      {R"({"pattern":"a|^$"})", "", "is no regular expression"},
      {R"({"pattern":""})", "", "is no regular expression"},
      {R"({"pattern":"a\u0000"})", "", "has a NUL character"},
      {R"({"pattern":"^([a-z]*,?)*$"})", "", "repeats something that may be empty"},
      {R"({"pattern":"(a|b?)+"})", "", "repeats something that may be empty"},
      {R"({"pattern":"(a{0,2}){1,}"})", "", "repeats something that may be empty"},
      {R"({"patternProperties":{"[":{}}})", "", "at /patternProperties: \"[\" is no regular expression"},
      {R"({"patternProperties":5})", "", "at /patternProperties: must be an object"},
      {R"({"default":{"patternProperties":5}})", "", "at /default/patternProperties: must be an object"},
      {R"({"dependencies":{"a":[1]}})", "", "at /dependencies/a: must be an array of names"},
      {R"({"properties":{"a":{"$ref":"#/definitions/b"}}})", "",
       R"(at /properties/a/$ref: "#/definitions/b" leads to no)"},
      {R"({"properties":{"a":{"$ref":"http://x/y#"}}})", "", "is not within the schema: write it as"},
      {R"({"properties":{"a":{"$ref":5}}})", "", "at /properties/a/$ref: must be a string"},
      {R"({"$ref":"#"})", "", R"("#" refers to itself in a circle)"},
      {R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}})", "", "in a circle"},
      {R"({"properties":{"a":{"$ref":"#/shared/a"}},"shared":{"a":{"type":"int"}}})", "",
       "at #/shared/a/type: \"int\""},
      {R"({"allOf":[{"$ref":"#"}]})", "", "a part leads to itself by $ref, allOf"},
      {R"({"properties":{"a":{"$ref":"#/definitions/x"}},"definitions":{"x":{"not":{"anyOf":[{"$ref":"#/definitions/x"}]}}}})",
       "", "a part leads to itself"},
  };
  for (const Case& one : cases) EXPECT_THAT(ProblemOf(one.schema), HasSubstr(one.sentence)) << one.schema;
  std::string deep = "{}";
  for (int i = 0; i < 100; ++i) deep = R"({"not":)" + deep + "}";
  EXPECT_THAT(ProblemOf(deep), HasSubstr("is nested deeper than 64 levels"));
  EXPECT_THAT(ProblemOf(R"({"pattern":")" + std::string(2000, 'a') + R"("})"), HasSubstr("longer than 1024 bytes"));
}

TEST(Schema, WhatOnlyLooksLikeAKeywordIsAName) {
  for (
      const char* schema :
      {R"({"properties":{"type":{"type":"string"},"const":{"type":"string"},"pattern":{},"enum":{},"not":{}}})",
       R"({"title":"t","description":"d","default":5,"format":"uri","$schema":"http://json-schema.org/draft-04/schema#"})",
       R"({"pattern":"^(a+|[^*b]*){2}$"})"}) {
    EXPECT_EQ(ProblemOf(schema), "");
  }
}

TEST(Schema, ManyThreadsCheckWithOnePattern) {
  const Schema schema = Schema::Parse(R"({"properties":{"a":{"pattern":"^(ab|cd)+$"}}})").value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&schema, i] {
      for (int n = 0; n < 500; ++n) {
        const bool good = (n + i) % 2 == 0;
        ASSERT_EQ(schema.Check(good ? R"({"a":"abcdab"})" : R"({"a":"abcda"})", "m").empty(), good);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Schema, WhatPatternsPassTheCheckCanBeSearchedWith) {
  std::mt19937 engine(1);
  int accepted = 0;
  for (int i = 0; i < 30'000; ++i) {
    constexpr std::string_view kParts = "aab(()|*+?{2,}[]^-$.d";
    std::string pattern;
    for (std::size_t size = engine() % 10; size > 0; --size) {
      const char c = kParts[engine() % kParts.size()];
      pattern += c == 'd' ? std::string("\\\\") + kParts[engine() % (kParts.size() - 1)] : std::string(1, c);
    }
    const auto schema = Schema::Parse(R"({"properties":{"a":{"pattern":")" + pattern + R"("}}})");
    if (!schema.ok()) continue;
    ++accepted;
    (void)schema.value().Check(R"({"a":"abab(a-b]"})", "m");
  }
  EXPECT_GT(accepted, 1000);
}

// Random schemas and documents: an explanation there is where RapidJSON finds fault, and only there.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(engine_); }
  const char* Key() { return std::array{"a", "b", "c"}[static_cast<std::size_t>(Below(3))]; }

  std::string Value(int depth) {
    switch (Below(depth > 0 ? 8 : 6)) {
      case 0: return "null";
      case 1: return Below(2) == 0 ? "true" : "false";
      case 2: return std::to_string(Below(9) - 3);
      case 3: return std::to_string(Below(9) - 3) + ".5";
      case 4: return "\"" + std::string(static_cast<std::size_t>(Below(4)), 'a') + "\"";
      case 5: return "\"b\"";
      case 6: return List("[", "]", Below(4), [&] { return Value(depth - 1); });
      default: break;
    }
    std::string json = "{";
    for (const char* key : {"a", "b", "c"}) {
      if (Below(2) == 0) json += (json.size() > 1 ? "," : "") + ("\"" + std::string(key) + "\":") + Value(depth - 1);
    }
    return json + "}";
  }

  std::string Schema(int depth) {
    std::string json = "{";
    for (int i = Below(4); i >= 0; --i) {
      const auto [name, value] = Rule(depth);
      if (json.find("\"" + name + "\"") == json.npos)
        json += (json.size() > 1 ? "," : "") + ("\"" + name + "\":") + value;
    }
    return json + "}";
  }

 private:
  template <typename Make>
  std::string List(const char* open, const char* close, int count, Make make) {
    std::string json = open;
    for (int i = 0; i < count; ++i) json += (i > 0 ? "," : "") + make();
    return json + close;
  }
  std::string Quoted(const char* text) { return "\"" + std::string(text) + "\""; }

  std::pair<std::string, std::string> Rule(int depth) {
    const auto number = [&] { return std::to_string(Below(5) - 2); };
    const auto count = [&] { return std::to_string(Below(4)); };
    switch (Below(depth > 0 ? 28 : 16)) {
      case 0: return {"minimum", number()};
      case 1: return {"maximum", number()};
      case 2: return {"exclusiveMinimum", "true"};
      case 3: return {"multipleOf", std::array{"2", "0.5", "1.5"}[static_cast<std::size_t>(Below(3))]};
      case 4: return {"minLength", count()};
      case 5: return {"maxLength", count()};
      case 6: return {"pattern", std::array{"\"^a+$\"", "\"b|aa\""}[static_cast<std::size_t>(Below(2))]};
      case 7: return {"enum", List("[", "]", 1 + Below(3), [&] { return Value(1); })};
      case 8: return {"required", List("[", "]", 1 + Below(2), [&] { return Quoted(Key()); })};
      case 9: return {"minItems", count()};
      case 10: return {"maxItems", count()};
      case 11: return {"uniqueItems", "true"};
      case 12: return {"minProperties", count()};
      case 13: return {"maxProperties", count()};
      case 14: return {"additionalProperties", "false"};
      case 15:
      case 16: {
        const char* const types[] = {"null", "boolean", "object", "array", "string", "number", "integer"};
        return {"type", List("[", "]", 1 + Below(3), [&] { return Quoted(types[Below(7)]); })};
      }
      case 17: return {"items", List("[", "]", 1 + Below(2), [&] { return Schema(depth - 1); })};
      case 18: return {"items", Schema(depth - 1)};
      case 19: return {"additionalItems", Below(2) == 0 ? "false" : Schema(depth - 1)};
      case 20: return {"patternProperties", R"({"^[ab]$":)" + Schema(depth - 1) + "}"};
      case 21: return {"anyOf", List("[", "]", 1 + Below(3), [&] { return Schema(depth - 1); })};
      case 22: return {"oneOf", List("[", "]", 1 + Below(3), [&] { return Schema(depth - 1); })};
      case 23: return {"allOf", List("[", "]", 1 + Below(3), [&] { return Schema(depth - 1); })};
      case 24: return {"not", Schema(depth - 1)};
      case 25: return {"dependencies", R"({"a":["b"],"c":)" + Schema(depth - 1) + "}"};
      default: break;
    }
    return {"properties", "{" + Quoted(Key()) + ":" + Schema(depth - 1) + "}"};
  }

  std::mt19937 engine_;
};

TEST(Schema, ExplainsExactlyWhatRapidJsonRefuses) {
  int valid_count = 0;
  int invalid_count = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const std::string text = random.Schema(3);
    const auto schema = Schema::Parse(text);
    ASSERT_TRUE(schema.ok()) << schema.error().message() << " in " << text;
    rapidjson::Document root;
    root.Parse(text.data(), text.size());
    for (int i = 0; i < 10; ++i) {
      const std::string json = random.Value(3);
      rapidjson::Document value;
      value.Parse(json.data(), json.size());
      const auto explained = ExplainViolations(root, value, "m", 100);
      const auto checked = schema.value().Check(json, "m");
      ASSERT_EQ(explained.empty(), checked.empty()) << text << "\n"
                                                    << json << "\n"
                                                    << (checked.empty() ? explained : checked).front().description;
      ++(checked.empty() ? valid_count : invalid_count);
    }
  }
  EXPECT_GT(valid_count, 5000);
  EXPECT_GT(invalid_count, 5000);
}

}  // namespace
}  // namespace kps
