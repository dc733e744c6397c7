// /metrics, /livez and /readyz over HTTP, at one address.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/metric_family.h"

namespace kps {

class HttpServer {
 public:
  // What is served. Both may be called by several threads at a time, until the server is destroyed.
  struct Content {
    const MetricsSource* metrics = nullptr;
    std::function<std::string()> why_not_ready;  // a sentence; empty: ready
  };

  // `address` is HOST:PORT with a name or an IPv4 address; port 0 picks a free one.
  // INVALID_ARGUMENT: it is no address. UNAVAILABLE: it cannot be listened on.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address, Content content);
  // Answers what is being asked, then ends.
  ~HttpServer();

  // With the port that was picked.
  const std::string& address() const { return address_; }

 private:
  struct Impl;
  HttpServer(std::unique_ptr<Impl> impl, std::string address);

  const std::unique_ptr<Impl> impl_;
  const std::string address_;
};

}  // namespace kps
