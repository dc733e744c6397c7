#include "cli/json_text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace kps::cli {
namespace {

// What the parser would have accepted at the place where it stopped.
std::string Expected(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty: return "expected a JSON object or array, found nothing";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "expected the end after the first JSON value (put several in an array)";
    case rapidjson::kParseErrorValueInvalid:
      return "expected a value: an object, an array, a string in double quotes, a number, true, false or null";
    case rapidjson::kParseErrorObjectMissName: return "expected a key in double quotes";
    case rapidjson::kParseErrorObjectMissColon: return "expected : after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return "expected , or } after a member";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return "expected , or ] after an element";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "expected no bare control character in a string, and one of \" \\ / b f n r t u after a backslash";
    case rapidjson::kParseErrorStringMissQuotationMark: return "expected the closing double quote of this string";
    case rapidjson::kParseErrorStringInvalidEncoding: return "expected UTF-8";
    case rapidjson::kParseErrorNumberTooBig: return "expected a number that fits in a double";
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent: return "expected a digit";
    default: return rapidjson::GetParseError_En(code);
  }
}

// "name:line:column", both from 1, the column in characters.
std::string PlaceOf(const std::string& name, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view in_line = before.substr(before.find_last_of('\n') + 1);  // npos + 1 is 0
  const auto continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const auto column = 1 + in_line.size() - std::count_if(in_line.begin(), in_line.end(), continuation);
  return name + ":" + std::to_string(line) + ":" + std::to_string(column);
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

// Where the nesting first gets deeper than kJsonDepthMax.
std::optional<std::size_t> TooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return std::nullopt;
}

void RemoveByteOrderMark(std::string_view* text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text->starts_with(kByteOrderMark)) text->remove_prefix(kByteOrderMark.size());
}

}  // namespace

Result<rapidjson::Document> ParseJson(std::string_view text, const std::string& name) {
  RemoveByteOrderMark(&text);
  if (const auto offset = TooDeep(text)) {
    return Failure{kExitUsage, PlaceOf(name, text, *offset) + ": expected at most " + std::to_string(kJsonDepthMax) +
                                   " levels of nesting"};
  }
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    return Failure{kExitUsage,
                   PlaceOf(name, text, document.GetErrorOffset()) + ": " + Expected(document.GetParseError())};
  }
  return document;
}

std::string Place(const std::string& name, std::string_view text, std::string_view path) {
  RemoveByteOrderMark(&text);
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
  return PlaceOf(name, text, walk.found());
}

std::string JsonText(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace kps::cli
