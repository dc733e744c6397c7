#include "cli/kit/schema_sample.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>

#include "cli/json_text.h"
#include "host/core/schema.h"
#include "host/core/schema_rules.h"

namespace kps::cli {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr int kDepthMax = 16;
// A schema that holds itself several times would have no end.
constexpr int kValuesMax = 10'000;
// Of anyOf and oneOf; the first that makes a valid document is taken.
constexpr unsigned kAlternativesMax = 8;

std::uint64_t CountAt(const Value& schema, const char* key, std::uint64_t otherwise) {
  const Value* const count = MemberOf(schema, key);
  return count != nullptr && count->IsUint64() ? count->GetUint64() : otherwise;
}

bool IsTrue(const Value& schema, const char* key) {
  const Value* const flag = MemberOf(schema, key);
  return flag != nullptr && flag->IsTrue();
}

// The value that the schema itself shows; null: none.
const Value* ShownValue(const Value& schema) {
  if (const Value* value = MemberOf(schema, "default")) return value;
  for (const char* key : {"examples", "enum"}) {
    const Value* const values = MemberOf(schema, key);
    if (values != nullptr && values->IsArray() && !values->Empty()) return &(*values)[0];
  }
  return MemberOf(schema, "example");
}

class Maker {
 public:
  Maker(const Value& root, SampleParameters parameters, Direction direction, unsigned alternative,
        Document::AllocatorType* allocator)
      : root_(root),
        parameters_(parameters),
        direction_(direction),
        alternative_(alternative),
        allocator_(*allocator) {}

  Value Make(const Value& unresolved, int depth) const {
    if (++made_ > kValuesMax) return Value();
    const Value& schema = ResolvedSchema(unresolved, root_);
    if (const Value* shown = ShownValue(schema)) return Value(*shown, allocator_);
    if (depth > kDepthMax) return Value();
    const std::string type = TypeOfSchema(schema);
    Value value;
    if (type == "object") value = MakeObject(schema, depth);
    if (type == "array") value = MakeArray(schema, depth);
    if (type == "string") value = MakeString(schema);
    if (type == "integer" || type == "number") value = MakeNumber(schema, type == "integer");
    if (type == "boolean") value.SetBool(false);
    return value;
  }

 private:
  static std::string TypeOfSchema(const Value& schema) {
    const Value* type = MemberOf(schema, "type");
    if (type != nullptr && type->IsArray()) type = &(*type)[0];
    if (type != nullptr && type->IsString()) return type->GetString();
    for (const char* key : {"minLength", "maxLength", "pattern"}) {
      if (MemberOf(schema, key) != nullptr) return "string";
    }
    for (const char* key : {"minimum", "maximum", "multipleOf"}) {
      if (MemberOf(schema, key) != nullptr) return "number";
    }
    return MemberOf(schema, "items") != nullptr ? "array" : "object";
  }

  Value MakeObject(const Value& schema, int depth) const {
    Value object(rapidjson::kObjectType);
    AddMembers(schema, depth, &object);
    return object;
  }

  // Of the schema, and of those that hold as well.
  void AddMembers(const Value& schema, int depth, Value* object) const {
    if (depth > kDepthMax) return;
    const Value* const properties = MemberOf(schema, "properties");
    if (properties != nullptr) {
      for (const auto& property : properties->GetObject()) {
        const Value& parameter = ResolvedSchema(property.value, root_);
        const bool shown = (parameters_ == SampleParameters::kAll || ShownValue(parameter) != nullptr) &&
                           !IsAboutTheOtherDirection(parameter);
        if (shown || IsRequired(schema, property.name)) Add(property.name, Make(property.value, depth + 1), object);
      }
    }
    if (const Value* required = MemberOf(schema, "required")) {
      for (const Value& name : required->GetArray()) Add(name, Value("sample"), object);
    }
    if (const Value* all = MemberOf(schema, "allOf")) {
      for (const Value& part : all->GetArray()) AddMembers(ResolvedSchema(part, root_), depth + 1, object);
    }
    for (const char* key : {"anyOf", "oneOf"}) {
      const Value* const some = MemberOf(schema, key);
      if (some == nullptr) continue;
      const Value& part = (*some)[static_cast<rapidjson::SizeType>(alternative_ % some->Size())];
      AddMembers(ResolvedSchema(part, root_), depth + 1, object);
    }
  }

  bool IsAboutTheOtherDirection(const Value& schema) const {
    const Value* const description = MemberOf(schema, "description");
    if (direction_ == Direction::kUnspecified || description == nullptr || !description->IsString()) return false;
    const Direction other = direction_ == Direction::kIngress ? Direction::kEgress : Direction::kIngress;
    return TextOf(*description).starts_with(DirectionName(other));
  }

  void Add(const Value& name, Value value, Value* object) const {
    if (object->HasMember(name)) return;
    object->AddMember(Value(name, allocator_), value, allocator_);
  }

  static bool IsRequired(const Value& schema, const Value& name) {
    const Value* const required = MemberOf(schema, "required");
    return required != nullptr && std::find(required->Begin(), required->End(), name) != required->End();
  }

  Value MakeArray(const Value& schema, int depth) const {
    Value array(rapidjson::kArrayType);
    const Value* const items = MemberOf(schema, "items");
    const auto count = std::min<std::uint64_t>(CountAt(schema, "minItems", 0), 100);
    for (std::uint64_t i = 0; i < count; ++i) {
      Value element = items != nullptr && items->IsObject() ? Make(*items, depth + 1) : Value("sample");
      array.PushBack(element, allocator_);
    }
    return array;
  }

  Value MakeString(const Value& schema) const {
    std::string text = "sample";
    const auto least = std::min<std::uint64_t>(CountAt(schema, "minLength", 0), 65536);
    if (text.size() < least) text.resize(least, 'x');
    text.resize(std::min<std::uint64_t>(text.size(), CountAt(schema, "maxLength", text.size())));
    return Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator_);
  }

  static Value MakeNumber(const Value& schema, bool whole) {
    const Value* const minimum = MemberOf(schema, "minimum");
    const Value* const maximum = MemberOf(schema, "maximum");
    const double step = whole ? 1 : 0.5;
    double number = 1;
    if (maximum != nullptr && number > maximum->GetDouble()) number = maximum->GetDouble();
    if (minimum != nullptr && number < minimum->GetDouble()) number = minimum->GetDouble();
    if (minimum != nullptr && IsTrue(schema, "exclusiveMinimum") && number == minimum->GetDouble()) number += step;
    if (maximum != nullptr && IsTrue(schema, "exclusiveMaximum") && number == maximum->GetDouble()) number -= step;
    if (const Value* multiple = MemberOf(schema, "multipleOf")) {
      number = std::ceil(number / multiple->GetDouble()) * multiple->GetDouble();
    }
    constexpr double kWholeMax = 9e18;  // beyond it, no int64_t
    if (!whole || std::abs(number) > kWholeMax) return Value(number);
    return Value(static_cast<std::int64_t>(std::ceil(number)));
  }

  const Value& root_;
  const SampleParameters parameters_;
  const Direction direction_;
  const unsigned alternative_;
  Document::AllocatorType& allocator_;
  mutable int made_ = 0;
};

}  // namespace

Result<std::string> SampleOf(std::string_view schema, SampleParameters parameters, Direction direction) {
  const auto checked = Schema::Parse(schema);
  if (!checked.ok()) return Failure{kExitUsage, checked.error().message()};
  if (schema.empty()) return std::string("{}");
  Document root;
  root.Parse(schema.data(), schema.size());
  std::vector<Violation> violations;
  for (unsigned alternative = 0; alternative < kAlternativesMax; ++alternative) {
    Document made;
    Value value = Maker(root, parameters, direction, alternative, &made.GetAllocator()).Make(root, 0);
    if (!value.IsObject()) return Failure{kExitUsage, "the schema is not that of an object"};
    std::string text = JsonText(value);
    violations = checked.value().Check(text, "parameters");
    if (violations.empty()) return text;
  }
  return Failure{kExitUsage, "no valid parameters can be made up: " + violations.front().field + " " +
                                 violations.front().description + "; give the schema an \"examples\" there"};
}

}  // namespace kps::cli
