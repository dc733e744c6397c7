#include "host/transport/make_transport.h"

#include "host/transport/memory_transport.h"
#include "host/transport/nats_transport.h"

namespace kps {

Result<std::unique_ptr<Transport>> MakeTransport(const std::string& url, const std::string& client_name, Logger* logger,
                                                 const std::optional<JetStreamOptions>& jetstream) {
  if (url == "memory:" && jetstream) {
    return Error(Code::kInvalidArgument,
                 "memory: keeps nothing, so it cannot deliver at least once: use nats://HOST:PORT with JetStream");
  }
  if (url == "memory:") return MakeMemoryTransport({});
  if (url.starts_with("nats://") || url.starts_with("tls://")) {
    return MakeNatsTransport({.url = url, .client_name = client_name, .jetstream = jetstream}, logger);
  }
  return Error(Code::kInvalidArgument,
               "\"" + url + "\" is no transport: use nats://HOST:PORT, tls://HOST:PORT or memory:");
}

}  // namespace kps
