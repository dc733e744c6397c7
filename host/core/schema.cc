#include "host/core/schema.h"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/pointer.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>

#include "host/core/json.h"
#include "host/core/mutex.h"
#include "host/core/schema_rules.h"

namespace kps {
namespace {

// Iterative: nesting is the sender's choice, and recursion would let it choose our stack depth.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag;

// RapidJSON reads the stack of another schema when patternProperties stand beside "additionalProperties": false. A
// schema that nothing fulfils says the same, and it has that right.
void ReplaceForbiddenAdditions(rapidjson::Value* value, rapidjson::Document::AllocatorType* allocator) {
  if (value->IsArray()) {
    for (auto& element : value->GetArray()) ReplaceForbiddenAdditions(&element, allocator);
  }
  if (!value->IsObject()) return;
  for (rapidjson::SizeType i = 0; i < value->MemberCount(); ++i) {
    ReplaceForbiddenAdditions(&value->MemberBegin()[i].value, allocator);
  }
  const rapidjson::Value* additional = MemberOf(*value, "additionalProperties");
  if (additional == nullptr || !additional->IsFalse() || !value->HasMember("patternProperties")) return;
  (*value)["additionalProperties"].SetObject().AddMember("not", rapidjson::Value(rapidjson::kObjectType), *allocator);
}

bool IsPlain(std::string_view key) {
  if (key.empty()) return false;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F || c == '.' || c == '[' || c == ']' || c == '"') return false;
  }
  return true;
}

}  // namespace

struct Schema::Compiled {
  explicit Compiled(const rapidjson::Document& text) : schema(ForRapidJson(text)) {
    source.CopyFrom(text, source.GetAllocator());
  }

  static rapidjson::SchemaDocument ForRapidJson(const rapidjson::Document& text) {
    rapidjson::Document copy;
    copy.CopyFrom(text, copy.GetAllocator());
    ReplaceForbiddenAdditions(&copy, &copy.GetAllocator());
    return rapidjson::SchemaDocument(copy);
  }

  rapidjson::Document source;
  Mutex mutex;  // a search with a compiled pattern changes it
  rapidjson::SchemaDocument schema KPS_GUARDED_BY(mutex);
};

Result<Schema> Schema::Parse(std::string_view text) {
  Schema schema;
  if (text.empty()) return schema;
  if (auto object = ParseJsonObject(text); !object.ok()) return object.error();
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  if (auto problem = SchemaProblem(document); !problem.empty()) {
    return Error(Code::kInvalidArgument, std::move(problem));
  }
  schema.compiled_ = std::make_shared<Compiled>(document);
  return schema;
}

std::vector<Violation> Schema::Check(std::string_view json, const std::string& path) const {
  if (!compiled_) return {};
  MutexLock lock(compiled_->mutex);
  rapidjson::SchemaValidator validator(compiled_->schema);
  rapidjson::MemoryStream bytes(json.data(), json.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  if (reader.Parse<kParseFlags>(stream, validator)) return {};

  rapidjson::Document document;
  document.Parse<kParseFlags>(json.data(), json.size());
  if (document.HasParseError()) return {{path, "is not JSON"}};
  auto violations = ExplainViolations(compiled_->source, document, path, kViolationsMax);
  // RapidJSON decides; where it alone finds fault, its keyword has to do.
  if (violations.empty()) {
    const char* keyword = validator.GetInvalidSchemaKeyword();
    violations.push_back(
        {path, std::string("does not fulfil \"") + (keyword == nullptr ? "?" : keyword) + "\" of the plugin's schema"});
  }
  return violations;
}

std::string MemberPlace(const std::string& place, std::string_view key) {
  constexpr std::size_t kKeyBytesShown = 128;
  const std::string shown = Shortened(key, kKeyBytesShown);
  return IsPlain(shown) ? place + '.' + shown : place + '[' + JsonString(shown) + ']';
}

std::string ElementPlace(const std::string& place, std::size_t index) {
  return place + '[' + std::to_string(index) + ']';
}

std::string Shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "...";
}

}  // namespace kps
