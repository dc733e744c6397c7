// A document that a JSON Schema calls valid, made up from it.
#pragma once

#include <string>
#include <string_view>

#include "cli/result.h"
#include "host/core/stream.h"

namespace kps::cli {

// Which parameters a sample has.
enum class SampleParameters {
  kShown,  // those that are required, or have a value to show
  kAll,
};

// A JSON object, for a stream of `direction`: a parameter whose description begins with the name of the other one
// ("INGRESS: ...") is about that one alone, and is left out unless it is required. A parameter has the value that its
// schema shows: its "default", the first of its "examples" or of its "enum", or its "example"; or else the simplest
// that the schema allows. An empty schema: {}. The failure: the schema cannot be checked, or what was made up is not
// valid: the sentence says what is in the way, and an example at that place helps.
Result<std::string> SampleOf(std::string_view schema, SampleParameters parameters = SampleParameters::kShown,
                             Direction direction = Direction::kUnspecified);

}  // namespace kps::cli
