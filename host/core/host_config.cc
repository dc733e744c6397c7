#include "host/core/host_config.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kps {

Result<LogLevel> ParseLogLevel(std::string_view json) {
  static constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{
      {{"DEBUG", LogLevel::kDebug}, {"INFO", LogLevel::kInfo}, {"WARN", LogLevel::kWarn}, {"ERROR", LogLevel::kError}}};
  constexpr std::size_t kShown = 40;
  const auto text = JsonStringValue(json);
  if (text) {
    std::string upper = *text;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    for (const auto& [name, level] : kLevels) {
      if (upper == name) return level;
    }
  }
  const bool shown = json.size() <= kShown;
  return Error(Code::kInvalidArgument, "is " + (shown ? std::string(json) : "something else") +
                                           ": use \"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\"");
}

JsonMembers PluginConfig(JsonMembers config) {
  config.erase(kLogLevelKey);
  return config;
}

}  // namespace kps
