#include "cli/json_text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "host/core/json.h"
#include "host/grpc/json_complaint.h"

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

void RemoveByteOrderMark(std::string_view* text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text->starts_with(kByteOrderMark)) text->remove_prefix(kByteOrderMark.size());
}

}  // namespace

Result<rapidjson::Document> ParseJson(std::string_view text, const std::string& name) {
  RemoveByteOrderMark(&text);
  if (const auto offset = FindDeeperThan(kJsonDepthMax, text)) {
    return Failure{kExitUsage, PlaceOf(name, text, *offset) + ": expected at most " + std::to_string(kJsonDepthMax) +
                                   " levels of nesting"};
  }
  rapidjson::Document document;
  // By default RapidJSON changes the last digits of some numbers.
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    return Failure{kExitUsage,
                   PlaceOf(name, text, document.GetErrorOffset()) + ": " + Expected(document.GetParseError())};
  }
  if (const auto integer = FindInexactInteger(text)) {
    return Failure{kExitUsage, PlaceOf(name, text, integer->offset) + ": " + integer->description};
  }
  return document;
}

std::string Place(const std::string& name, std::string_view text, std::string_view path) {
  RemoveByteOrderMark(&text);
  return PlaceOf(name, text, LocateJson(text, path));
}

std::string JsonText(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace kps::cli
