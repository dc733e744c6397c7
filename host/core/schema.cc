#include "host/core/schema.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>

#include "host/core/json.h"

namespace kps {
namespace {

// "/limits/2" -> "limits[2]"
std::string Place(const rapidjson::Pointer& pointer) {
  std::string place;
  for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    if (token.index != rapidjson::kPointerInvalidIndex) {
      place += '[' + std::to_string(token.index) + ']';
    } else {
      place += '.' + std::string(token.name, token.length);
    }
  }
  return place;
}

std::string ValueText(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  std::string text(buffer.GetString(), buffer.GetSize());
  constexpr std::size_t kShown = 200;
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

}  // namespace

struct Schema::Compiled {
  explicit Compiled(const rapidjson::Document& text) : schema(text) { source.CopyFrom(text, source.GetAllocator()); }
  rapidjson::Document source;
  rapidjson::SchemaDocument schema;
};

Result<Schema> Schema::Parse(std::string_view text) {
  Schema schema;
  if (text.empty()) return schema;
  if (auto object = ParseJsonObject(text); !object.ok()) return object.error();
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  schema.compiled_ = std::make_shared<const Compiled>(document);
  return schema;
}

std::vector<Violation> Schema::Check(std::string_view json, const std::string& path) const {
  if (!compiled_) return {};
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) return {{path, "is not JSON"}};
  rapidjson::SchemaValidator validator(compiled_->schema);
  if (document.Accept(validator)) return {};

  const rapidjson::Pointer where = validator.GetInvalidDocumentPointer();
  const std::string keyword = validator.GetInvalidSchemaKeyword();
  std::string description = "does not fulfil \"" + keyword + "\" of the plugin's schema";
  const rapidjson::Pointer rule = validator.GetInvalidSchemaPointer().Append(
      keyword.c_str(), static_cast<rapidjson::SizeType>(keyword.size()));
  if (const rapidjson::Value* value = rule.Get(compiled_->source)) description += ": " + ValueText(*value);
  return {{path + Place(where), description}};
}

}  // namespace kps
