// What plugins say of streams that they have discovered.
#ifndef KPS_PLUGINS_SUPPORT_DISCOVERED_H
#define KPS_PLUGINS_SUPPORT_DISCOVERED_H

#include <initializer_list>
#include <string>
#include <utility>

namespace kps::plugins {

// An entry for DiscoverSink::found: an INGRESS stream with these metadata. A text that is no UTF-8 gives one that is no
// JSON either: the host skips it.
std::string discovered_stream(const std::string& id,
                              std::initializer_list<std::pair<const char*, std::string>> metadata);

}  // namespace kps::plugins

#endif
