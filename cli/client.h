// The calls of the contract. Every way of not getting an OK is a Failure with its exit code.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "cli/contract.h"
#include "cli/result.h"

namespace kps::cli {

struct Sources;

class Client {
 public:
  // Nothing is connected before the first call. Each call ends within `timeout`.
  Client(std::string address, std::chrono::milliseconds timeout);
  ~Client();

  Result<v1::GetPayloadResponse> GetStreams(const std::string& connector_id);
  Result<v1::GetPayloadResponse> GetConfig(const std::string& connector_id);
  // A refusal names what came from `sources` by its file.
  Result<v1::SetPayloadResponse> Set(const v1::SetPayloadRequest& request, const Sources& sources);
  // A stop ends the call at once, as a failure.
  Result<v1::GetEventsResponse> GetEvents(const std::string& connector_id, const std::stop_token& stop = {});
  // Of the host's plugin (kps.host.v1). A reload that is refused is a refusal, with the reason.
  Result<host::v1::PluginStatus> GetPluginStatus();
  Result<host::v1::ReloadPluginResponse> ReloadPlugin();
  // "SERVING", "NOT_SERVING", ... as grpc.health.v1 says of the connector's service.
  Result<std::string> GetHealth();

 private:
  struct Connection;
  const std::string address_;
  const std::chrono::milliseconds timeout_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace kps::cli
