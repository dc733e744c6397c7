#include "host/transport/nats_url.h"

#include <algorithm>
#include <charconv>

namespace kps {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// libnats takes any number for a port, and would then try it for ever.
bool HasUsablePort(const std::string& url) {
  const std::string shown = WithoutCredentials(url);
  const std::size_t scheme = shown.find("://");
  const std::string host = shown.substr(scheme == std::string::npos ? 0 : scheme + 3);
  if (host.empty()) return false;
  const std::size_t bracket = host.rfind(']');  // of an IPv6 address
  const std::size_t colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon == std::string::npos) return true;  // the default port
  const std::string port = host.substr(colon + 1, host.find('/', colon) - colon - 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number >= 1 && number <= 65'535;
}

}  // namespace

std::string WithoutCredentials(const std::string& urls) {
  std::string shown;
  for (std::string& url : SplitAtCommas(urls)) {
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
    if (const std::size_t at = url.rfind('@'); at != std::string::npos && at >= host) url.erase(host, at + 1 - host);
    shown += (shown.empty() ? "" : ",") + url;
  }
  return shown;
}

Result<std::vector<std::string>> SplitNatsUrls(const std::string& urls) {
  std::vector<std::string> parts = SplitAtCommas(urls);
  for (const std::string& url : parts) {
    if (HasUsablePort(url)) continue;
    return Error(Code::kInvalidArgument, "cannot use the NATS URL \"" + WithoutCredentials(url) +
                                             "\": it must name a host, and a port from 1 to 65535 if any");
  }
  return parts;
}

}  // namespace kps
