#include "cli/kit/inspect/schema_limits.h"

#include <vector>

#include "cli/json_text.h"
#include "host/core/schema_rules.h"

namespace kps::cli {
namespace {

using rapidjson::Value;

const char* JsonTypeOf(const Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType: return "null";
    case rapidjson::kFalseType:
    case rapidjson::kTrueType: return "boolean";
    case rapidjson::kObjectType: return "object";
    case rapidjson::kArrayType: return "array";
    case rapidjson::kStringType: return "string";
    case rapidjson::kNumberType: break;
  }
  return value.IsInt64() || value.IsUint64() ? "integer" : "number";
}

bool IsTrue(const Value& schema, const char* key) {
  const Value* value = MemberOf(schema, key);
  return value != nullptr && value->IsTrue();
}

// `unit` is in the singular, or empty.
std::string Counted(const std::string& count, const std::string& unit) {
  if (unit.empty()) return count;
  return count + " " + unit + (count == "1" ? "" : "s");
}

std::string Range(const Value& schema, const char* min_key, const char* max_key, const std::string& unit) {
  const Value* min = MemberOf(schema, min_key);
  const Value* max = MemberOf(schema, max_key);
  const bool above = IsTrue(schema, "exclusiveMinimum") && unit.empty();
  const bool below = IsTrue(schema, "exclusiveMaximum") && unit.empty();
  if (min != nullptr && max != nullptr && !above && !below) {
    if (*min == *max) return "exactly " + Counted(JsonText(*min), unit);
    return JsonText(*min) + " to " + Counted(JsonText(*max), unit);
  }
  std::string text;
  if (min != nullptr) text = (above ? "more than " : "at least ") + Counted(JsonText(*min), unit);
  if (max != nullptr) {
    text += (text.empty() ? "" : ", ") + std::string(below ? "less than " : "at most ") + Counted(JsonText(*max), unit);
  }
  return text;
}

std::string OneOf(const Value& values) {
  std::string text = values.Size() == 1 ? "only" : "one of";
  for (rapidjson::SizeType i = 0; i < values.Size(); ++i) text += (i == 0 ? " " : ", ") + JsonText(values[i]);
  return text;
}

}  // namespace

std::string SchemaType(const Value& schema) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    for (const std::string& known : names) {
      if (known == name) return;
    }
    names.push_back(name);
  };
  const Value* type = MemberOf(schema, "type");
  const Value* values = MemberOf(schema, "enum");
  if (type != nullptr && type->IsString()) {
    add(std::string(TextOf(*type)));
  } else if (type != nullptr) {
    for (const Value& name : type->GetArray()) add(std::string(TextOf(name)));
  } else if (values != nullptr) {
    for (const Value& value : values->GetArray()) add(JsonTypeOf(value));
  } else if (MemberOf(schema, "properties") != nullptr) {
    add("object");
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text.empty() ? "any" : text;
}

std::string SchemaLimits(const Value& schema) {
  std::string text;
  const auto add = [&](const std::string& limit) {
    if (!limit.empty()) text += (text.empty() ? "" : ", ") + limit;
  };
  if (const Value* values = MemberOf(schema, "enum")) add(OneOf(*values));
  add(Range(schema, "minimum", "maximum", ""));
  if (const Value* step = MemberOf(schema, "multipleOf")) add("a multiple of " + JsonText(*step));
  add(Range(schema, "minLength", "maxLength", "character"));
  if (const Value* pattern = MemberOf(schema, "pattern")) add("matches /" + std::string(TextOf(*pattern)) + "/");
  add(Range(schema, "minItems", "maxItems", "element"));
  if (IsTrue(schema, "uniqueItems")) add("all different");
  add(Range(schema, "minProperties", "maxProperties", "key"));
  return text;
}

}  // namespace kps::cli
