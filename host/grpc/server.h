// The gRPC server: the contract, what the host offers besides (PluginService), grpc.health.v1 and server reflection.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/core/error.h"

namespace kps {

class PluginControl;
class Runtime;
class Transport;

// What one server grants its clients.
struct ServerLimits {
  // A request; larger ones end with RESOURCE_EXHAUSTED. 1,000 streams with 16 KiB of metadata each.
  int request_bytes_max = 16 << 20;
  // Calls at once on one connection; further ones wait at the client. The platform has a handful under way.
  int calls_per_connection_max = 32;
  // Threads for calls, of all connections together; when they are used up, calls end with RESOURCE_EXHAUSTED. Of these,
  // SetPayloads can take no more than wait in the line below, so that there is always one for health and GetEvents.
  int threads_max = 64;
  // SetPayloads are applied one after the other; so many may wait their turn, each holding its request in memory.
  // Further ones get RESOURCE_EXHAUSTED in the body.
  int waiting_sets_max = 16;
  // Pings of clients that come faster end the connection. Go refuses to ping more often than every 10 s, and gRPC's own
  // bound of 5 min would cut off clients that are set to keep a connection alive.
  std::chrono::milliseconds client_ping_interval_min{5'000};
  // A connection that is silent for the first gets a ping, and is closed when no answer comes within the second: a
  // client that vanished without a word, as nodes do, holds nothing for longer.
  std::chrono::milliseconds ping_after_silence{30'000};
  std::chrono::milliseconds ping_timeout{10'000};
};

class Server {
 public:
  // What stands behind the server. All of it outlives it; the watcher of the transport's connection is the server's from
  // Start to Shutdown.
  struct Parts {
    Runtime* runtime = nullptr;
    Transport* transport = nullptr;
    PluginControl* plugin = nullptr;  // null: PluginService is not offered
  };

  // Listens on `address` ("0.0.0.0:8000"; port 0 picks one) in plaintext. The health of "" and of
  // "connector.v1.ConnectorService" is SERVING while the transport is connected.
  // UNAVAILABLE: the address cannot be used, for one because somebody else listens there.
  static Result<std::unique_ptr<Server>> Start(const std::string& address, Parts parts,
                                               const ServerLimits& limits = {});
  // Shuts down without grace if that has not happened.
  ~Server();

  // The address with the port that was picked.
  const std::string& address() const { return address_; }

  // The health is NOT_SERVING first thing. Then there are no further calls; those under way may end within `grace`, and
  // are cancelled after it. SetPayloads that wait for their turn are refused at once.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace kps
