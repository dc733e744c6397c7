// Names of transport channels: NATS subjects.
#pragma once

#include <string_view>

namespace kps {

// Whether `channel` is one of those that `pattern` names: * is one token, > is all that follow.
bool ChannelMatches(std::string_view pattern, std::string_view channel);

}  // namespace kps
