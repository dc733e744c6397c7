#include "host/grpc/probe.h"

#include <grpcpp/grpcpp.h>

#include "connector/v1/connector.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "host/grpc/grpc_log.h"
#include "host/grpc/listen_address.h"

namespace kps {
namespace {

using grpc::health::v1::HealthCheckResponse;

std::string LoopbackFor(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  return host == "[::]" ? "[::1]" : host;
}

Error NoAnswer(const std::string& address, const grpc::Status& status) {
  const std::string reason = status.error_message().empty() ? "" : " (gRPC: " + status.error_message() + ")";
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::NOT_FOUND:
      return Error(Code::kUnavailable, "what listens at " + address +
                                           " is no kps-connector-host: name the address of " +
                                           "the host with --listen or KPS_LISTEN" + reason);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Error(Code::kUnavailable, "the host at " + address + " does not answer in time" + reason);
    default:
      return Error(Code::kUnavailable, "no host can be reached at " + address +
                                           ": is it running, and is that its --listen or KPS_LISTEN?" + reason);
  }
}

}  // namespace

Result<std::string> Probe(const std::string& listen, std::chrono::milliseconds timeout) {
  const auto parsed = ParseListenAddress(listen);
  if (!parsed.ok()) return parsed.error();
  if (parsed.value().port == 0) {
    return Error(Code::kInvalidArgument,
                 "\"" + listen + "\" has no port to ask: name the one that the host has printed");
  }
  const std::string address = LoopbackFor(parsed.value().host) + ":" + std::to_string(parsed.value().port);

  SilenceGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // a proxy of the environment would only stand between
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(connector::v1::ConnectorService::service_full_name());
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return NoAnswer(address, status);
  if (response.status() == HealthCheckResponse::SERVING) return address;
  return Error(Code::kUnavailable, "the host at " + address +
                                       " is not ready: its transport is not connected, or it is " +
                                       "stopping; its log says which");
}

}  // namespace kps
