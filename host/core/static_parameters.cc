#include "host/core/static_parameters.h"

#include "host/core/json.h"

namespace kps {

Result<std::string> MergeParameters(const std::string& json, const std::string& source,
                                    const std::vector<std::string>& assignments, const std::string& option) {
  auto members = ParseJsonObject(json.empty() ? "{}" : json);
  if (!members.ok()) return Error(Code::kInvalidArgument, source + ": " + members.error().message());
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(Code::kInvalidArgument, option + " " + assignment + ": KEY=VALUE is needed");
    }
    const std::string value = assignment.substr(equals + 1);
    members.value()[assignment.substr(0, equals)] = IsJson(value) ? value : JsonString(value);
  }
  return ToJson(members.value());
}

}  // namespace kps
