#include "host/core/json.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace kps {
namespace {

// Iterative: nesting is the sender's choice, and recursion would let it choose our stack depth.
// Full precision: by default RapidJSON changes the last digits of some numbers.
constexpr unsigned kParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;

Error ParseError(std::string_view text, const rapidjson::Document& document) {
  return Error(Code::kInvalidArgument, std::string(rapidjson::GetParseError_En(document.GetParseError())) + " (" +
                                           LineAndColumn(text, document.GetErrorOffset()) + ")");
}

// Walks along a path through a text that is valid JSON.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) { SkipSpace(); }

  std::size_t found() const { return found_; }

  // To the member or the element; false: there is none.
  bool Enter(std::string_view key) {
    if (Next() != '{') return false;
    do {
      ++at_;
      SkipSpace();
      const std::size_t key_at = at_;
      if (Next() != '"') return false;
      SkipString();
      const bool same = text_.substr(key_at + 1, at_ - key_at - 2) == key;
      SkipSpace();
      ++at_;  // the colon
      SkipSpace();
      if (same) found_ = key_at;
      if (same) return true;
      SkipValue();
    } while (Next() == ',');
    return false;
  }
  bool Enter(std::size_t index) {
    if (Next() != '[') return false;
    for (std::size_t i = 0;; ++i) {
      ++at_;
      SkipSpace();
      if (Next() == ']') return false;
      if (i == index) found_ = at_;
      if (i == index) return true;
      SkipValue();
      if (Next() != ',') return false;
    }
  }

 private:
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void SkipValue() {
    int depth = 0;
    do {
      const char next = Next();
      if (next == '"') {
        SkipString();
      } else if (next == '{' || next == '[') {
        ++depth, ++at_;
      } else if (next == '}' || next == ']') {
        --depth, ++at_;
      } else {
        // A number or a word, or what stands between two values.
        at_ = std::min(text_.find_first_of(depth > 0 ? "\"{}[]" : " \t\r\n,}]", at_), text_.size());
      }
    } while (depth > 0 && at_ < text_.size());
    SkipSpace();
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t found_ = 0;
};

template <typename Value>
std::string Text(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace

Result<JsonMembers> ParseJsonObject(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  if (document.HasParseError()) return ParseError(text, document);
  if (!document.IsObject())
    return Error(Code::kInvalidArgument, "a JSON object is needed, such as {\"key\": \"value\"}");
  JsonMembers members;
  // As const: C++20 finds the comparison of RapidJSON's other iterators ambiguous.
  for (const auto& member : std::as_const(document).GetObject()) {
    members[std::string(member.name.GetString(), member.name.GetStringLength())] = Text(member.value);
  }
  return members;
}

std::string ToJson(const JsonMembers& members) {
  std::string json = "{";
  for (const auto& [key, value] : members) {
    if (json.size() > 1) json += ',';
    json += JsonString(key) + ':' + value;
  }
  return json + '}';
}

std::string JsonString(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string JsonOfStrings(const std::vector<std::pair<std::string_view, std::string_view>>& members) {
  JsonMembers json;
  for (const auto& [key, value] : members) json[std::string(key)] = JsonString(value);
  return ToJson(json);
}

std::optional<std::string> JsonStringValue(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  if (document.HasParseError() || !document.IsString()) return std::nullopt;
  return std::string(document.GetString(), document.GetStringLength());
}

std::vector<std::string> JsonStrings(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  std::vector<std::string> strings;
  if (document.HasParseError() || !document.IsArray()) return strings;
  for (const auto& element : std::as_const(document).GetArray()) {
    if (element.IsString()) strings.emplace_back(element.GetString(), element.GetStringLength());
  }
  return strings;
}

std::string LineAndColumn(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.find_last_of('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::size_t LocateJson(std::string_view text, std::string_view path) {
  JsonWalk walk(text);
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    if (path.starts_with('[')) {
      std::size_t index = 0;
      std::from_chars(path.data() + 1, path.data() + path.size(), index);
      if (!walk.Enter(index)) break;
      path.remove_prefix(std::min(path.find(']'), path.size() - 1) + 1);
    } else {
      const std::size_t end = std::min(path.find_first_of(".["), path.size());
      if (!walk.Enter(path.substr(0, end))) break;
      path.remove_prefix(end);
    }
  }
  return walk.found();
}

bool IsJson(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  return !document.HasParseError();
}

}  // namespace kps
