// Why a document is not valid: RapidJSON stops at the first fault, so a document that it has refused is walked along
// the schema once more, and each fault is put into words.
#include <rapidjson/internal/regex.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>

#include "host/core/json.h"
#include "host/core/schema_rules.h"

namespace kps {
namespace {

using rapidjson::SizeType;
using rapidjson::Value;

constexpr std::size_t kShownBytesMax = 200;
constexpr std::size_t kStepsMax = 200'000;  // values looked at; alternatives in alternatives multiply

std::string Counted(std::uint64_t count, const char* one, const char* more) {
  return std::to_string(count) + ' ' + (count == 1 ? one : more);
}

bool Matches(const Value& pattern, const Value& text) {
  return rapidjson::internal::Regex(pattern.GetString()).Search(text.GetString());
}

bool HasType(const Value& value, std::string_view type) {
  if (type == "null") return value.IsNull();
  if (type == "boolean") return value.IsBool();
  if (type == "object") return value.IsObject();
  if (type == "array") return value.IsArray();
  if (type == "string") return value.IsString();
  if (type == "number") return value.IsNumber();
  return value.IsNumber() && !value.IsDouble();
}

std::string WithArticle(std::string_view type) {
  if (type == "null") return "null";
  const bool vowel = type == "integer" || type == "object" || type == "array";
  return (vowel ? "an " : "a ") + std::string(type);
}

class Explanation {
 public:
  Explanation(const Value& root, std::size_t violations_max, std::size_t* steps)
      : root_(root), violations_max_(violations_max), steps_(steps) {}

  std::vector<Violation> Take() { return std::move(found_); }

  void Look(const Value& schema_or_ref, const Value& value, const std::string& place) {
    if (found_.size() >= violations_max_ || *steps_ == 0) return;
    --*steps_;
    const Value& schema = ResolvedSchema(schema_or_ref, root_);
    // What is of another type than it should be breaks most other rules, too: one sentence is enough.
    if (!LookAtType(schema, value, place)) return;
    if (value.IsObject()) {
      LookAtObject(schema, value, place);
    } else if (value.IsArray()) {
      LookAtArray(schema, value, place);
    } else if (value.IsString()) {
      LookAtString(schema, value, place);
    } else if (value.IsNumber()) {
      LookAtNumber(schema, value, place);
    }
    LookAtEnum(schema, value, place);
    LookAtCombinations(schema, value, place);
  }

 private:
  void Add(const std::string& place, std::string description) {
    if (found_.size() < violations_max_) found_.push_back({place, std::move(description)});
  }

  std::vector<Violation> Of(const Value& schema, const Value& value, const std::string& place) const {
    Explanation inner(root_, violations_max_, steps_);
    inner.Look(schema, value, place);
    return inner.Take();
  }

  bool LookAtType(const Value& schema, const Value& value, const std::string& place) {
    const Value* type = MemberOf(schema, "type");
    if (type == nullptr) return true;
    std::string expected;
    const SizeType count = type->IsArray() ? type->Size() : 1;
    for (SizeType i = 0; i < count; ++i) {
      const std::string_view name = TextOf(type->IsArray() ? (*type)[i] : *type);
      if (HasType(value, name)) return true;
      expected += (i == 0 ? "" : i + 1 == count ? " or " : ", ") + WithArticle(name);
    }
    Add(place, std::string("is ") + TypeOf(value) + ", but must be " + expected);
    return false;
  }

  void LookAtEnum(const Value& schema, const Value& value, const std::string& place) {
    const Value* allowed = MemberOf(schema, "enum");
    if (allowed == nullptr) return;
    std::string list;
    for (const Value& one : allowed->GetArray()) {
      if (one == value) return;
      list += (list.empty() ? "" : ", ") + ShortJson(one);
    }
    const bool simple = !value.IsObject() && !value.IsArray();
    Add(place, "is " + (simple ? ShortJson(value) : TypeOf(value)) +
                   ", but must be one of: " + Shortened(list, 4 * kShownBytesMax));
  }

  void LookAtObject(const Value& schema, const Value& value, const std::string& place) {
    if (const Value* required = MemberOf(schema, "required")) {
      for (const Value& name : required->GetArray()) {
        if (!value.HasMember(name)) Add(MemberPlace(place, TextOf(name)), "is missing");
      }
    }
    for (const auto& member : value.GetObject()) {
      if (found_.size() >= violations_max_) return;
      LookAtMember(schema, member.name, member.value, MemberPlace(place, TextOf(member.name)));
    }
    if (const Value* least = MemberOf(schema, "minProperties"); least && value.MemberCount() < least->GetUint()) {
      Add(place,
          "has " + Counted(value.MemberCount(), "member", "members") + ", but needs at least " + ShortJson(*least));
    }
    if (const Value* most = MemberOf(schema, "maxProperties"); most && value.MemberCount() > most->GetUint()) {
      Add(place,
          "has " + Counted(value.MemberCount(), "member", "members") + ", but may have at most " + ShortJson(*most));
    }
    if (const Value* dependencies = MemberOf(schema, "dependencies")) {
      for (const auto& [source, target] : dependencies->GetObject()) {
        if (!value.HasMember(source)) continue;
        if (target.IsObject()) Look(target, value, place);
        if (!target.IsArray()) continue;
        for (const Value& name : target.GetArray()) {
          if (!value.HasMember(name)) {
            Add(MemberPlace(place, TextOf(name)), "is missing: it is needed with " + std::string(TextOf(source)));
          }
        }
      }
    }
  }

  void LookAtMember(const Value& schema, const Value& name, const Value& value, const std::string& place) {
    bool known = false;
    const Value* properties = MemberOf(schema, "properties");
    if (const Value* property = properties ? MemberOf(*properties, TextOf(name)) : nullptr) {
      known = true;
      Look(*property, value, place);
    }
    if (const Value* patterns = MemberOf(schema, "patternProperties")) {
      for (const auto& [pattern, subschema] : patterns->GetObject()) {
        if (!Matches(pattern, name)) continue;
        known = true;
        Look(subschema, value, place);
      }
    }
    const Value* additional = MemberOf(schema, "additionalProperties");
    if (known || additional == nullptr) return;
    if (additional->IsObject()) Look(*additional, value, place);
    // RapidJSON: what "required" and "dependencies" name is known as well.
    if (!additional->IsFalse() || IsNamed(schema, name)) return;
    std::string list;
    if (properties) {
      for (const auto& property : properties->GetObject()) {
        list += (list.empty() ? "" : ", ") + std::string(TextOf(property.name));
      }
    }
    Add(place, "is not a parameter of the plugin; it knows" +
                   (list.empty() ? " none here" : ": " + Shortened(list, 4 * kShownBytesMax)));
  }

  static bool IsNamed(const Value& schema, const Value& name) {
    const Value* required = MemberOf(schema, "required");
    if (required && std::find(required->Begin(), required->End(), name) != required->End()) return true;
    const Value* dependencies = MemberOf(schema, "dependencies");
    if (!dependencies) return false;
    for (const auto& [source, target] : dependencies->GetObject()) {
      if (source == name) return true;
      if (target.IsArray() && std::find(target.Begin(), target.End(), name) != target.End()) return true;
    }
    return false;
  }

  void LookAtArray(const Value& schema, const Value& value, const std::string& place) {
    if (const Value* least = MemberOf(schema, "minItems"); least && value.Size() < least->GetUint()) {
      Add(place, "has " + Counted(value.Size(), "element", "elements") + ", but needs at least " + ShortJson(*least));
    }
    if (const Value* most = MemberOf(schema, "maxItems"); most && value.Size() > most->GetUint()) {
      Add(place, "has " + Counted(value.Size(), "element", "elements") + ", but may have at most " + ShortJson(*most));
    }
    const Value* items = MemberOf(schema, "items");
    const Value* additional = MemberOf(schema, "additionalItems");
    for (SizeType i = 0; items && i < value.Size(); ++i) {
      const std::string below = ElementPlace(place, i);
      if (items->IsObject()) {
        Look(*items, value[i], below);
      } else if (i < items->Size()) {
        Look((*items)[i], value[i], below);
      } else if (additional && additional->IsObject()) {
        Look(*additional, value[i], below);
      } else if (additional && additional->IsFalse()) {
        Add(below, "is too many: there are at most " + Counted(items->Size(), "element", "elements"));
      }
    }
    if (const Value* unique = MemberOf(schema, "uniqueItems"); unique && unique->IsTrue()) LookForTwins(value, place);
  }

  void LookForTwins(const Value& value, const std::string& place) {
    for (SizeType i = 1; i < value.Size(); ++i) {
      for (SizeType j = 0; j<i&& * steps_> 0; ++j) {
        --*steps_;
        if (value[i] != value[j]) continue;
        Add(ElementPlace(place, i), "is the same as the element [" + std::to_string(j) + "]");
        break;
      }
    }
  }

  void LookAtString(const Value& schema, const Value& value, const std::string& place) {
    std::uint64_t length = 0;  // in characters
    for (const char c : TextOf(value)) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    if (const Value* least = MemberOf(schema, "minLength"); least && length < least->GetUint()) {
      Add(place, "has " + Counted(length, "character", "characters") + ", but needs at least " + ShortJson(*least));
    }
    if (const Value* most = MemberOf(schema, "maxLength"); most && length > most->GetUint()) {
      Add(place, "has " + Counted(length, "character", "characters") + ", but may have at most " + ShortJson(*most));
    }
    // The value is not repeated: it may be a secret.
    const Value* pattern = MemberOf(schema, "pattern");
    if (pattern && !Matches(*pattern, value)) {
      Add(place, "does not match the pattern " + Shortened(TextOf(*pattern), kShownBytesMax));
    }
  }

  void LookAtNumber(const Value& schema, const Value& value, const std::string& place) {
    const std::string is = "is " + ShortJson(value) + ", but must be ";
    const auto exclusive = [&](const char* keyword) {
      const Value* member = MemberOf(schema, keyword);
      return member && member->IsTrue();
    };
    if (const Value* least = MemberOf(schema, "minimum")) {
      const bool above = exclusive("exclusiveMinimum");
      if (Less(value, *least) || (above && !Less(*least, value))) {
        Add(place, is + (above ? "more than " : "at least ") + ShortJson(*least));
      }
    }
    if (const Value* most = MemberOf(schema, "maximum")) {
      const bool below = exclusive("exclusiveMaximum");
      if (Less(*most, value) || (below && !Less(value, *most))) {
        Add(place, is + (below ? "less than " : "at most ") + ShortJson(*most));
      }
    }
    if (const Value* factor = MemberOf(schema, "multipleOf"); factor && !IsMultiple(value, *factor)) {
      Add(place, is + "a multiple of " + ShortJson(*factor));
    }
  }

  static bool Less(const Value& a, const Value& b) {
    if (a.IsInt64() && b.IsInt64()) return a.GetInt64() < b.GetInt64();
    if (a.IsUint64() && b.IsUint64()) return a.GetUint64() < b.GetUint64();
    return a.GetDouble() < b.GetDouble();
  }

  // As RapidJSON reckons.
  static bool IsMultiple(const Value& value, const Value& factor) {
    if (value.IsUint64() && factor.IsUint64()) return value.GetUint64() % factor.GetUint64() == 0;
    if (value.IsInt64() && factor.IsUint64()) {
      return (0 - static_cast<std::uint64_t>(value.GetInt64())) % factor.GetUint64() == 0;
    }
    const double number = std::abs(value.GetDouble());
    const double step = std::abs(factor.GetDouble());
    return number - std::floor(number / step) * step <= 0.0;
  }

  void LookAtCombinations(const Value& schema, const Value& value, const std::string& place) {
    if (const Value* all = MemberOf(schema, "allOf")) {
      for (const Value& one : all->GetArray()) Look(one, value, place);
    }
    if (const Value* any = MemberOf(schema, "anyOf")) LookAtAlternatives(*any, any->Size(), value, place);
    if (const Value* one = MemberOf(schema, "oneOf")) LookAtAlternatives(*one, 1, value, place);
    if (const Value* forbidden = MemberOf(schema, "not"); forbidden && Of(*forbidden, value, place).empty()) {
      Add(place, "must not fit " + ShortJson(*forbidden));
    }
  }

  void LookAtAlternatives(const Value& alternatives, SizeType fitting_max, const Value& value,
                          const std::string& place) {
    SizeType fitting = 0;
    std::string reasons;
    for (SizeType i = 0; i < alternatives.Size(); ++i) {
      const auto violations = Of(alternatives[i], value, place);
      if (violations.empty()) {
        ++fitting;
      } else {
        const Violation& first = violations.front();
        const std::string below =
            first.field == place ? "it" : first.field.substr(std::min(place.size(), first.field.size()));
        reasons += (reasons.empty() ? "" : "; or ") + below + ' ' + first.description;
      }
    }
    if (fitting == 0) Add(place, "fits none of the plugin's alternatives: " + Shortened(reasons, 4 * kShownBytesMax));
    if (fitting > fitting_max) {
      Add(place, "fits " + std::to_string(fitting) + " of the plugin's alternatives, but must fit exactly one");
    }
  }

  const Value& root_;
  const std::size_t violations_max_;
  std::size_t* const steps_;
  std::vector<Violation> found_;
};

}  // namespace

std::vector<Violation> ExplainViolations(const Value& root, const Value& value, const std::string& path,
                                         std::size_t violations_max) {
  std::size_t steps = kStepsMax;
  Explanation explanation(root, violations_max + 1, &steps);
  explanation.Look(root, value, path);
  auto violations = explanation.Take();
  if (violations.size() > violations_max) {
    violations.back() = {path, "has more violations: the first " + std::to_string(violations_max) + " are named"};
  }
  return violations;
}

const char* TypeOf(const Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return "a boolean";
  if (value.IsObject()) return "an object";
  if (value.IsArray()) return "an array";
  if (value.IsString()) return "a string";
  return value.IsDouble() ? "a number" : "an integer";
}

std::string ShortJson(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return Shortened({buffer.GetString(), buffer.GetSize()}, kShownBytesMax);
}

}  // namespace kps
