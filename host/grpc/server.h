// The gRPC server.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/core/error.h"

namespace kps {

class Runtime;

class Server {
 public:
  // Listens on `address` ("0.0.0.0:8000"; port 0 picks one) in plaintext. `runtime` outlives the server.
  // UNAVAILABLE: the address cannot be used, for one because somebody else listens there.
  static Result<std::unique_ptr<Server>> Start(const std::string& address, Runtime* runtime);
  ~Server();

  // The address with the port that was picked.
  const std::string& address() const { return address_; }

  // No further calls; those under way may end within `grace`. Once.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace kps
