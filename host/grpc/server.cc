#include "host/grpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include "host/grpc/service.h"

namespace kps {
namespace {

// gRPC's own lines would stand between ours, in another format; what matters comes back as a result.
void DropLogLine(gpr_log_func_args*) {}

}  // namespace

struct Server::Impl {
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<grpc::Server> server;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const std::string& address, Runtime* runtime) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return Error(Code::kInvalidArgument, "\"" + address + "\" is no address to listen on: use HOST:PORT, as 0.0.0.0:8000");
  }
  gpr_set_log_function(DropLogLine);
  auto impl = std::make_unique<Impl>();
  impl->service = MakeConnectorService(runtime);
  grpc::ServerBuilder builder;
  // By default two servers may share a port, and each gets a part of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(impl->service.get());
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  impl->server = builder.BuildAndStart();
  if (!impl->server || port == 0) {
    return Error(Code::kUnavailable, "cannot listen on " + address +
                                         ": the port is in use or the address is not of this machine; free it or choose "
                                         "another with --listen (port 0 picks a free one)");
  }
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  server->address_ = address.substr(0, colon + 1) + std::to_string(port);
  return server;
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  impl_->server->Shutdown(std::chrono::system_clock::now() + grace);
}

}  // namespace kps
