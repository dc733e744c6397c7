// A schema as a RapidJSON document: what must be checked before RapidJSON compiles it, and what it says about a
// document that is not valid. Internal to schema*.cc, and for tools that show a schema.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <vector>

#include "host/core/schema.h"

namespace kps {

// Why `schema` is no draft-4 schema that RapidJSON can check, with the place in it: "/properties/port/type: ...".
// Empty: it is one. After that, neither compiling it nor a document can lead RapidJSON astray.
std::string SchemaProblem(const rapidjson::Value& schema);

// Why RapidJSON cannot search with the regular expression `pattern`; empty: it can.
std::string PatternProblem(std::string_view pattern);

// The schema that a $ref leads to; `schema` itself when it has none. `root` holds both, and passed SchemaProblem.
const rapidjson::Value& ResolvedSchema(const rapidjson::Value& schema, const rapidjson::Value& root);

// Every violation of `root` in `value`, at most `violations_max`.
std::vector<Violation> ExplainViolations(const rapidjson::Value& root, const rapidjson::Value& value,
                                         const std::string& path, std::size_t violations_max);

// "a string", "an integer", ...: what `value` is. RapidJSON takes 5.0 for no integer.
const char* TypeOf(const rapidjson::Value& value);

// Compact JSON, shortened.
std::string ShortJson(const rapidjson::Value& value);

inline std::string_view TextOf(const rapidjson::Value& text) { return {text.GetString(), text.GetStringLength()}; }

// The member `key` of an object; null: it has none.
inline const rapidjson::Value* MemberOf(const rapidjson::Value& object, std::string_view key) {
  const auto found = object.FindMember(
      rapidjson::Value(rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size()))));
  return found == object.MemberEnd() ? nullptr : &found->value;
}

}  // namespace kps
