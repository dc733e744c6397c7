// The names that JetStream knows channels and subscribers by. Internal to host/transport.
#pragma once

#include <string>
#include <string_view>

namespace kps {

// A stream's name: the prefix, "-", the channel. "a.b" of the prefix "kps" is "kps-a=b".
//
// What JetStream or a file system would not take is written in other words: "." is "=", letters, digits, "-" and "_"
// are themselves, any other byte is "~" and its two hexadecimal digits (not "%": the server, 2.9, formats
// with the names of consumers). So two channels never have the same name. One
// that would be longer than a file's name may be ends in "~~" and a hash of the whole instead.
std::string JetStreamStreamName(std::string_view prefix, std::string_view channel);

// The name of a durable consumer: connector id, "+", subscriber, "+", channel, each written as above.
std::string JetStreamConsumerName(std::string_view connector_id, std::string_view subscriber, std::string_view channel);

// Whether every subject that `channel` means is one that `pattern` means. Both may have wildcards.
bool SubjectCovers(std::string_view pattern, std::string_view channel);

}  // namespace kps
