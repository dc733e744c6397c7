#include "host/core/channel.h"

#include <algorithm>

namespace kps {

bool ChannelMatches(std::string_view pattern, std::string_view channel) {
  while (true) {
    const std::size_t pattern_end = std::min(pattern.find('.'), pattern.size());
    const std::size_t channel_end = std::min(channel.find('.'), channel.size());
    const std::string_view token = pattern.substr(0, pattern_end);
    if (token == ">") return true;
    if (token != "*" && token != channel.substr(0, channel_end)) return false;
    const bool pattern_ends = pattern_end == pattern.size();
    const bool channel_ends = channel_end == channel.size();
    if (pattern_ends || channel_ends) return pattern_ends && channel_ends;
    pattern.remove_prefix(pattern_end + 1);
    channel.remove_prefix(channel_end + 1);
  }
}

}  // namespace kps
