// Static parameters as people write them.
#pragma once

#include <string>
#include <vector>

#include "host/core/error.h"

namespace kps {

// The JSON object `json` (empty: {}) with each KEY=VALUE of `assignments` put in; VALUE is JSON, or else text.
// INVALID_ARGUMENT: `json` is no object, which the message names `source`, or an assignment is none, which it names
// --static-param.
Result<std::string> MergeStaticParameters(const std::string& json, const std::string& source,
                                          const std::vector<std::string>& assignments);

}  // namespace kps
