// What is wrong with a schema itself. RapidJSON takes any JSON for a schema: it passes over what it does not
// understand, and what it reads in a way that was not meant can lead it into memory that is not there.
#include <rapidjson/pointer.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "host/core/json.h"
#include "host/core/schema_rules.h"

namespace kps {
namespace {

using rapidjson::Value;

constexpr int kDepthMax = 64;  // of a schema; RapidJSON compiles by recursion
constexpr char kTypes[] = "null, boolean, object, array, string, number or integer";

enum class Kind {
  kSchema,
  kSchemas,
  kSchemaMap,
  kSchemaOrTuple,
  kSchemaOrBool,
  kStrings,
  kType,
  kEnum,
  kDependencies,
  kCount,
  kNumber,
  kPositive,
  kBool,
  kPattern,
  kPatternMap,
  kRef,
  kLater
};
struct Keyword {
  const char* name;
  Kind kind;
};
constexpr Keyword kKeywords[] = {
    {"$ref", Kind::kRef},
    {"type", Kind::kType},
    {"enum", Kind::kEnum},
    {"allOf", Kind::kSchemas},
    {"anyOf", Kind::kSchemas},
    {"oneOf", Kind::kSchemas},
    {"not", Kind::kSchema},
    {"definitions", Kind::kSchemaMap},
    {"properties", Kind::kSchemaMap},
    {"patternProperties", Kind::kPatternMap},
    {"additionalProperties", Kind::kSchemaOrBool},
    {"required", Kind::kStrings},
    {"dependencies", Kind::kDependencies},
    {"minProperties", Kind::kCount},
    {"maxProperties", Kind::kCount},
    {"items", Kind::kSchemaOrTuple},
    {"additionalItems", Kind::kSchemaOrBool},
    {"minItems", Kind::kCount},
    {"maxItems", Kind::kCount},
    {"uniqueItems", Kind::kBool},
    {"minLength", Kind::kCount},
    {"maxLength", Kind::kCount},
    {"pattern", Kind::kPattern},
    {"minimum", Kind::kNumber},
    {"maximum", Kind::kNumber},
    {"exclusiveMinimum", Kind::kBool},
    {"exclusiveMaximum", Kind::kBool},
    {"multipleOf", Kind::kPositive},
    // They would be passed over, and the author would think that they hold.
    {"const", Kind::kLater},
    {"contains", Kind::kLater},
    {"dependentRequired", Kind::kLater},
    {"dependentSchemas", Kind::kLater},
    {"else", Kind::kLater},
    {"if", Kind::kLater},
    {"prefixItems", Kind::kLater},
    {"propertyNames", Kind::kLater},
    {"then", Kind::kLater},
    {"unevaluatedItems", Kind::kLater},
    {"unevaluatedProperties", Kind::kLater},
};

bool IsTypeName(const Value& name) {
  constexpr std::array<std::string_view, 7> kNames{"null", "boolean", "object", "array", "string", "number", "integer"};
  return name.IsString() && std::find(kNames.begin(), kNames.end(), TextOf(name)) != kNames.end();
}

bool AreStrings(const Value& value) {
  return value.IsArray() && std::all_of(value.Begin(), value.End(), [](const Value& one) { return one.IsString(); });
}

// The first problem that is met, as "/place: sentence"; empty: none.
class Search {
 public:
  explicit Search(const Value& root) : root_(root) {}

  std::string Run() {
    if (const auto problem = Hazards(root_, "", 0); !problem.empty()) return problem;
    if (const auto problem = InSchema(root_, ""); !problem.empty()) return problem;
    for (const Value* schema : schemas_) {
      std::vector<const Value*> above;
      if (auto problem = EndlessLoop(*schema, &above); !problem.empty()) return problem;
    }
    return {};
  }

 private:
  // RapidJSON looks for keywords in every object, also where a schema says something else, as in the properties' names.
  std::string Hazards(const Value& value, const std::string& place, int depth) {
    if (depth > kDepthMax) return At(place, "is nested deeper than " + std::to_string(kDepthMax) + " levels");
    if (value.IsArray()) {
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        if (auto problem = Hazards(value[i], place + '/' + std::to_string(i), depth + 1); !problem.empty())
          return problem;
      }
    }
    if (!value.IsObject()) return {};
    if (const Value* patterns = MemberOf(value, "patternProperties"); patterns != nullptr && !patterns->IsObject()) {
      return At(place + "/patternProperties", "must be an object");
    }
    if (const Value* dependencies = MemberOf(value, "dependencies");
        dependencies != nullptr && dependencies->IsObject()) {
      for (const auto& member : dependencies->GetObject()) {
        if (member.value.IsArray() && !AreStrings(member.value)) {
          return At(place + "/dependencies/" + std::string(TextOf(member.name)), "must be an array of names here");
        }
      }
    }
    if (const Value* ref = MemberOf(value, "$ref"); ref != nullptr && ref->IsString()) {
      if (auto problem = InReference(*ref); !problem.empty()) return At(place + "/$ref", problem);
    }
    for (const auto& member : value.GetObject()) {
      auto problem = Hazards(member.value, place + '/' + std::string(TextOf(member.name)), depth + 1);
      if (!problem.empty()) return problem;
    }
    return {};
  }

  std::string InReference(const Value& first) {
    std::set<const Value*> seen;
    for (const Value* ref = &first; ref != nullptr && ref->IsString();) {
      const std::string name = Shortened(TextOf(*ref), 200);
      const std::string quoted = '"' + name + '"';
      if (!seen.insert(ref).second) return quoted + " refers to itself in a circle";
      if (ref->GetStringLength() == 0 || *ref->GetString() != '#') {
        return quoted + " is not within the schema: write it as \"#/definitions/NAME\"";
      }
      const rapidjson::Pointer pointer(ref->GetString(), ref->GetStringLength());
      const Value* target = pointer.IsValid() ? pointer.Get(root_) : nullptr;
      if (target == nullptr || !target->IsObject()) return quoted + " leads to no schema";
      ref = MemberOf(*target, "$ref");
    }
    return {};
  }

  std::string InSchema(const Value& schema, const std::string& place) {
    if (!schema.IsObject()) return At(place, "must be a schema, which is an object");
    if (!schemas_.insert(&schema).second) return {};
    // Draft 4: what stands beside a $ref does not count.
    if (const Value* ref = MemberOf(schema, "$ref")) {
      if (!ref->IsString()) return At(place + "/$ref", "must be a string");
      return InSchema(ResolvedSchema(schema, root_), std::string(TextOf(*ref)));
    }
    for (const Keyword& keyword : kKeywords) {
      const Value* value = MemberOf(schema, keyword.name);
      if (value == nullptr) continue;
      const std::string below = place + '/' + keyword.name;
      if (auto sentence = WrongValue(keyword.kind, *value); !sentence.empty()) return At(below, sentence);
      if (keyword.kind == Kind::kPatternMap) {
        for (const auto& member : value->GetObject()) {
          if (auto sentence = PatternProblem(TextOf(member.name)); !sentence.empty()) return At(below, sentence);
        }
      }
      for (const auto& [name, subschema] : Subschemas(keyword.kind, *value)) {
        if (auto problem = InSchema(*subschema, below + name); !problem.empty()) return problem;
      }
    }
    return {};
  }

  // What is wrong with the value of a keyword, subschemas apart.
  static std::string WrongValue(Kind kind, const Value& value) {
    switch (kind) {
      case Kind::kLater: return "is of a later draft of JSON Schema than draft 4, which is what the host checks";
      case Kind::kSchema:
      case Kind::kRef: return "";
      case Kind::kSchemas: return value.IsArray() && !value.Empty() ? "" : "must be an array of schemas, not empty";
      case Kind::kSchemaMap:
      case Kind::kDependencies:
      case Kind::kPatternMap: return value.IsObject() ? "" : "must be an object";
      case Kind::kSchemaOrTuple:
        return value.IsObject() || value.IsArray() ? "" : "must be a schema or an array of schemas";
      case Kind::kSchemaOrBool: return value.IsObject() || value.IsBool() ? "" : "must be true, false or a schema";
      case Kind::kStrings: return AreStrings(value) && !value.Empty() ? "" : "must be an array of names, not empty";
      case Kind::kEnum: return value.IsArray() && !value.Empty() ? "" : "must be an array of values, not empty";
      case Kind::kCount: return value.IsUint() ? "" : "must be a whole number that is not negative";
      case Kind::kNumber: return value.IsNumber() ? "" : "must be a number";
      case Kind::kPositive: return value.IsNumber() && value.GetDouble() > 0 ? "" : "must be a number above 0";
      case Kind::kBool:
        return value.IsBool() ? "" : "must be true or false (draft 4; a bound of its own is of a later one)";
      case Kind::kPattern: return value.IsString() ? PatternProblem(TextOf(value)) : "must be a string";
      case Kind::kType: break;
    }
    if (IsTypeName(value)) return "";
    if (value.IsArray() && !value.Empty() && std::all_of(value.Begin(), value.End(), IsTypeName)) return "";
    return ShortJson(value) + " is no type: use " + kTypes + ", or an array of them";
  }

  // The subschemas in the value of a keyword, each with its place below it.
  static std::vector<std::pair<std::string, const Value*>> Subschemas(Kind kind, const Value& value) {
    std::vector<std::pair<std::string, const Value*>> found;
    switch (kind) {
      case Kind::kSchema: found.emplace_back("", &value); break;
      case Kind::kSchemaOrBool:
        if (value.IsObject()) found.emplace_back("", &value);
        break;
      case Kind::kSchemaOrTuple:
        if (value.IsObject()) found.emplace_back("", &value);
        [[fallthrough]];
      case Kind::kSchemas:
        if (!value.IsArray()) break;
        for (rapidjson::SizeType i = 0; i < value.Size(); ++i) found.emplace_back('/' + std::to_string(i), &value[i]);
        break;
      case Kind::kSchemaMap:
      case Kind::kPatternMap:
      case Kind::kDependencies:
        for (const auto& member : value.GetObject()) {
          if (kind == Kind::kDependencies && member.value.IsArray()) continue;
          found.emplace_back('/' + std::string(TextOf(member.name)), &member.value);
        }
        break;
      default: break;
    }
    return found;
  }

  // A schema that leads to itself without going into the value: no value could ever be checked.
  std::string EndlessLoop(const Value& schema, std::vector<const Value*>* above) {
    const Value& resolved = ResolvedSchema(schema, root_);
    if (std::find(above->begin(), above->end(), &resolved) != above->end()) {
      return "the schema: a part leads to itself by $ref, allOf, anyOf, oneOf or not alone, so that no value can be "
             "checked";
    }
    if (!loop_free_.insert(&resolved).second) return {};
    above->push_back(&resolved);
    for (const Keyword& keyword : kKeywords) {
      const bool same_value =
          keyword.kind == Kind::kSchemas || keyword.kind == Kind::kSchema || keyword.kind == Kind::kDependencies;
      const Value* value = same_value ? MemberOf(resolved, keyword.name) : nullptr;
      if (value == nullptr) continue;
      for (const auto& [name, subschema] : Subschemas(keyword.kind, *value)) {
        if (auto problem = EndlessLoop(*subschema, above); !problem.empty()) return problem;
      }
    }
    above->pop_back();
    return {};
  }

  static std::string At(const std::string& place, const std::string& sentence) {
    return (place.empty() ? "the schema" : "at " + place) + (sentence.empty() ? "" : ": " + sentence);
  }

  const Value& root_;
  std::set<const Value*> schemas_;  // all that were met
  std::set<const Value*> loop_free_;
};

}  // namespace

std::string SchemaProblem(const Value& schema) { return Search(schema).Run(); }

const Value& ResolvedSchema(const Value& schema, const Value& root) {
  const Value* resolved = &schema;
  while (const Value* ref = MemberOf(*resolved, "$ref")) {
    if (!ref->IsString()) break;
    resolved = rapidjson::Pointer(ref->GetString(), ref->GetStringLength()).Get(root);
  }
  return *resolved;
}

}  // namespace kps
