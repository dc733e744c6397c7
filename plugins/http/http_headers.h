// The "headers" of the metadata: an object, which Params does not read.
#ifndef KPS_PLUGINS_HTTP_HTTP_HEADERS_H
#define KPS_PLUGINS_HTTP_HTTP_HEADERS_H

#include <string>
#include <vector>

namespace kps::plugins {

struct SplitMetadata {
  std::string json;                  // without "headers"
  std::vector<std::string> headers;  // "Name: value"
};

// `what` starts every complaint. Throws Failure INVALID_ARGUMENT for headers that are no headers, that this plugin sets
// itself, or that hold a secret. Text that is no JSON object comes back as it is: Params complains about that.
SplitMetadata split_headers(const std::string& metadata_json, const std::string& what);

}  // namespace kps::plugins

#endif
