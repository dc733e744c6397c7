// JSON text to a document, and what is wrong with the text, by line and column.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

#include "cli/result.h"

namespace kps::cli {

// Deeper nesting is refused: everything after the parser walks the document recursively.
inline constexpr int kJsonDepthMax = 64;

// `name` stands in the failure: "streams.json:3:14: expected , or } after a member". Integers that are no doubles are
// refused: the contract has no other numbers.
Result<rapidjson::Document> ParseJson(std::string_view text, const std::string& name);

// "name:line:column" of the key or element to which `path` ("[1].payloads[2].stream.id") leads in `text`, which is
// valid JSON; as far as it can be followed.
std::string Place(const std::string& name, std::string_view text, std::string_view path);

// Compact.
std::string JsonText(const rapidjson::Value& value);

}  // namespace kps::cli
