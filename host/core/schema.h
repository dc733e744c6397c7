// JSON Schema (draft 4, what RapidJSON validates).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"

namespace kps {

// Something in a request that is wrong: where, and what to do.
struct Violation {
  std::string field;  // "payloads[2].stream.metadata.broker"
  std::string description;

  bool operator==(const Violation&) const = default;
};

class Schema {
 public:
  // An empty text accepts everything. INVALID_ARGUMENT: the text is not a JSON object.
  static Result<Schema> Parse(std::string_view text);

  // The first violation in `json`, if any; its field is `path` followed by the place, as in "metadata.limits[2]".
  std::vector<Violation> Check(std::string_view json, const std::string& path) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;  // null: accepts everything
};

}  // namespace kps
