// The parameters with which a plugin is examined: those of the command line, or made up from its schemas.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/kit/check/subject.h"
#include "cli/result.h"
#include "host/core/plugin.h"

namespace kps::cli {

// Empty: made up, and marked so.
struct GivenParameters {
  std::vector<std::string> static_params;  // KEY=VALUE
  std::string config;                      // as stream_file.h reads it
  std::vector<std::string> streams;        // likewise; without a direction, for both
};
// The failure says what is not valid, or cannot be made up.
Result<CheckParameters> ChooseParameters(const std::string& file, const PluginDescriptor& descriptor,
                                         const GivenParameters& given, std::istream& standard_input);

}  // namespace kps::cli
