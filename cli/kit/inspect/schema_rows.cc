#include "cli/kit/inspect/schema_rows.h"

#include <rapidjson/document.h>

#include <algorithm>

#include "cli/json_text.h"
#include "cli/kit/inspect/schema_limits.h"
#include "host/core/schema.h"
#include "host/core/schema_rules.h"

namespace kps::cli {
namespace {

using rapidjson::Value;

constexpr int kDepthMax = 8;

std::string TextAt(const Value& schema, const char* key) {
  const Value* text = MemberOf(schema, key);
  return text != nullptr && text->IsString() ? std::string(TextOf(*text)) : "";
}

bool IsRequired(const Value& object, std::string_view key) {
  const Value* required = MemberOf(object, "required");
  if (required == nullptr || !required->IsArray()) return false;
  return std::any_of(required->Begin(), required->End(), [&](const Value& name) { return TextOf(name) == key; });
}

class Rows {
 public:
  explicit Rows(const Value& root) : root_(root) {}

  // What stands in the object, or the elements of the array, that is described by `written` and called `place`.
  void AddMembers(const std::string& place, const Value& written, int depth) {
    const Value& schema = ResolvedSchema(written, root_);
    // One that holds itself is shown once.
    if (depth > kDepthMax || std::find(open_.begin(), open_.end(), &schema) != open_.end()) return;
    open_.push_back(&schema);
    AddOpened(place, schema, depth);
    open_.pop_back();
  }

  std::vector<SchemaRow> Take() { return std::move(rows_); }

 private:
  void AddOpened(const std::string& place, const Value& schema, int depth) {
    const std::string prefix = place.empty() ? "" : place + ".";
    if (const Value* properties = MemberOf(schema, "properties")) {
      for (const auto& member : properties->GetObject()) {
        const std::string key(TextOf(member.name));
        Add(prefix + key, member.value, IsRequired(schema, key), depth);
      }
    }
    if (const Value* patterns = MemberOf(schema, "patternProperties")) {
      for (const auto& member : patterns->GetObject()) {
        Add(prefix + "/" + std::string(TextOf(member.name)) + "/", member.value, false, depth);
      }
    }
    const Value* others = MemberOf(schema, "additionalProperties");
    if (others != nullptr && others->IsObject()) Add(prefix + "*", *others, false, depth);
    for (const char* key : {"allOf", "anyOf", "oneOf"}) {
      const Value* alternatives = MemberOf(schema, key);
      if (alternatives == nullptr) continue;
      for (const Value& alternative : alternatives->GetArray()) AddMembers(place, alternative, depth + 1);
    }
  }

  void Add(const std::string& place, const Value& written, bool required, int depth) {
    const Value& schema = ResolvedSchema(written, root_);
    const Value* items = MemberOf(schema, "items");
    const bool list = items != nullptr && items->IsObject();
    const std::string name = list ? place + "[]" : place;
    const Value* value = MemberOf(schema, "default");
    SchemaRow row{name,
                  SchemaType(schema),
                  required,
                  value == nullptr ? "" : JsonText(*value),
                  SchemaLimits(schema),
                  TextAt(schema, "description")};
    if (list) {
      const Value& element = ResolvedSchema(*items, root_);
      row.type += " of " + SchemaType(element);
      if (const std::string limits = SchemaLimits(element); !limits.empty()) {
        row.limits += (row.limits.empty() ? "each " : "; each ") + limits;
      }
    }
    rows_.push_back(std::move(row));
    AddMembers(name, list ? *items : schema, depth + 1);
  }

  const Value& root_;
  std::vector<const Value*> open_;  // what is being shown, from the root
  std::vector<SchemaRow> rows_;
};

}  // namespace

std::vector<SchemaRow> SchemaRows(std::string_view schema) {
  if (!Schema::Parse(schema).ok()) return {};
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(schema.data(), schema.size());
  if (!document.IsObject()) return {};
  Rows rows(document);
  rows.AddMembers("", document, 0);
  return rows.Take();
}

}  // namespace kps::cli
