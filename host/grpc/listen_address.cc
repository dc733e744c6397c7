#include "host/grpc/listen_address.h"

#include <charconv>

namespace kps {

Result<ListenAddress> ParseListenAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  // gRPC takes any number, and another port for it.
  const std::string port_text = colon == std::string::npos ? "" : address.substr(colon + 1);
  unsigned port = 0;
  const auto parsed = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != port_text.data() + port_text.size() || port > 65'535) {
    return Error(Code::kInvalidArgument,
                 "\"" + address + "\" is no address to listen on: use HOST:PORT, as 0.0.0.0:8000");
  }
  return ListenAddress{address.substr(0, colon), static_cast<int>(port)};
}

}  // namespace kps
