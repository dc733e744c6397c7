// A JSON Schema as rows that a person reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kps::cli {

struct SchemaRow {
  std::string parameter;     // "broker.port"; elements of an array: "topics[]"; any other key: "headers.*"
  std::string type;          // "integer", "string or null", "array of string"
  bool required = false;     // where the object is that it is in
  std::string default_json;  // empty: none
  std::string limits;        // "1 to 65535", "one of \"a\", \"b\""; empty: none
  std::string description;

  bool operator==(const SchemaRow&) const = default;
};

// In the order of the schema, what is nested after what holds it. Of anyOf, oneOf and allOf every alternative; a schema
// that holds itself is shown once. Empty: no parameter has a name, or `schema` is none that can be used.
std::vector<SchemaRow> SchemaRows(std::string_view schema);

}  // namespace kps::cli
