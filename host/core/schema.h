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
  // Violations that are named of one document; then one more says that there are others.
  static constexpr std::size_t kViolationsMax = 32;

  // An empty text accepts everything. INVALID_ARGUMENT: the text is not a JSON object, or no schema that can be
  // checked: everything that a validator would pass over in silence is refused, with its place as a JSON pointer.
  static Result<Schema> Parse(std::string_view text);

  // Every violation in `json`; the fields are `path` followed by the place, as in "metadata.limits[2]". Any thread. One
  // pass for a document that is valid; only what is not is looked at again, to say why.
  std::vector<Violation> Check(std::string_view json, const std::string& path) const;

 private:
  struct Compiled;
  std::shared_ptr<Compiled> compiled_;  // null: accepts everything
};

// `place` + ".key"; a key that is no plain word stands in brackets: `metadata["a.b"]`. Long keys are cut.
std::string MemberPlace(const std::string& place, std::string_view key);
std::string ElementPlace(const std::string& place, std::size_t index);

// At most `bytes_max` of `text`, whole UTF-8 characters, with "..." where something was cut.
std::string Shortened(std::string_view text, std::size_t bytes_max);

}  // namespace kps
