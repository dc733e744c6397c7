// The parameters with which a plugin is examined: those of the command line, or made up from its schemas.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/check/subject.h"
#include "cli/result.h"
#include "host/core/plugin.h"

namespace kps::cli {

// Each is a JSON object, or a file that holds one; empty: made up.
struct GivenParameters {
  std::string static_parameters;
  std::string config;
  std::vector<std::string> streams;
};
// The failure says what is not valid, or cannot be made up.
Result<CheckParameters> ChooseParameters(const std::string& file, const PluginDescriptor& descriptor,
                                         const GivenParameters& given);

}  // namespace kps::cli
