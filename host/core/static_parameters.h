// Parameters as people write them on a command line.
#pragma once

#include <string>
#include <vector>

#include "host/core/error.h"

namespace kps {

// The JSON object `json` (empty: {}) with each KEY=VALUE of `assignments` put in; VALUE is JSON, or else text.
// INVALID_ARGUMENT: `json` is no object, which the message names `source`, or an assignment, which it names `option`,
// is none.
Result<std::string> MergeParameters(const std::string& json, const std::string& source,
                                    const std::vector<std::string>& assignments,
                                    const std::string& option = "--static-param");

}  // namespace kps
