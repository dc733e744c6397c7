// The little JSON that core needs, over RapidJSON, whose headers stay in json.cc and schema.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/error.h"

namespace kps {

// Members of a JSON object: key -> value as JSON text.
using JsonMembers = std::map<std::string, std::string>;

// INVALID_ARGUMENT with line and column when `text` is not a JSON object.
Result<JsonMembers> ParseJsonObject(std::string_view text);

// The object's text, keys in order.
std::string ToJson(const JsonMembers& members);

// `text` as a JSON string with its quotes.
std::string JsonString(std::string_view text);

// {"key":"value",...} of strings.
std::string JsonOfStrings(const std::vector<std::pair<std::string_view, std::string_view>>& members);

// The string that `text`, a JSON value, is; nothing: it is no string.
std::optional<std::string> JsonStringValue(std::string_view text);

// The strings of `text`, a JSON array; what is no string is left out. Empty when it is no array.
std::vector<std::string> JsonStrings(std::string_view text);

// "line 3, column 5", both from 1, the column in bytes.
std::string LineAndColumn(std::string_view text, std::size_t offset);

// Where in `text`, which is valid JSON, `path` ("payloads[2].stream.id") leads: to the key of the member, or to the
// element; as far as it can be followed.
std::size_t LocateJson(std::string_view text, std::string_view path);

// Whether `text` is a JSON value.
bool IsJson(std::string_view text);

}  // namespace kps
