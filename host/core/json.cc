#include "host/core/json.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <utility>

namespace kps {
namespace {

// Iterative: nesting is the sender's choice, and recursion would let it choose our stack depth.
// Full precision: by default RapidJSON changes the last digits of some numbers.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseFullPrecisionFlag;

Error ParseError(std::string_view text, const rapidjson::Document& document) {
  const std::string_view before = text.substr(0, document.GetErrorOffset());
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.find_last_of('\n') + 1) + 1;
  return Error(Code::kInvalidArgument, std::string(rapidjson::GetParseError_En(document.GetParseError())) + " (line " +
                                           std::to_string(line) + ", column " + std::to_string(column) + ")");
}

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

bool IsJson(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  return !document.HasParseError();
}

}  // namespace kps
