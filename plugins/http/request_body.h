// The body of a request that carries one message or several.
#ifndef KPS_PLUGINS_HTTP_REQUEST_BODY_H
#define KPS_PLUGINS_HTTP_REQUEST_BODY_H

#include <kps/plugin.hpp>
#include <string>

#include "http_settings.h"

namespace kps::plugins {

// Whether it is one JSON value, in UTF-8, and nothing else.
bool is_json(const char* data, size_t size);

struct RequestBody {
  std::string bytes;
  size_t messages = 0;
};

// Of the leading messages from `first` on, at most `messages_max`: up to the first that does not fit the framing. None:
// messages[first] itself does not.
RequestBody body_of(const plugin::Messages& messages, size_t first, size_t messages_max, Framing framing);

}  // namespace kps::plugins

#endif
