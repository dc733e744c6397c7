// What a JSON Schema says of one value, in a few words.
#pragma once

#include <rapidjson/document.h>

#include <string>

namespace kps::cli {

// "integer", "string or null"; where only values are named, the type of those; "any": nothing is said. `schema` is one
// that Schema::Parse has taken, without a $ref.
std::string SchemaType(const rapidjson::Value& schema);

// "1 to 65535", "at least 1 character", "one of \"a\", \"b\""; several are joined with a comma. Empty: none.
std::string SchemaLimits(const rapidjson::Value& schema);

}  // namespace kps::cli
