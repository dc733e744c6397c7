#include "host/grpc/server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>

#include <mutex>
#include <stop_token>

#include "host/core/transport.h"
#include "host/grpc/grpc_log.h"
#include "host/grpc/listen_address.h"
#include "host/grpc/plugin_service.h"
#include "host/grpc/service.h"

namespace kps {
namespace {

// Of the process, before its first server.
void InitGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    // It stays until the process ends: its own end waits for ever for a timer thread that it once could not have.
    grpc_init();
    SilenceGrpc();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

int Ms(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

void Limit(const ServerLimits& limits, grpc::ServerBuilder* builder) {
  grpc::ResourceQuota quota("kps-connector-host");
  quota.SetMaxThreads(limits.threads_max);
  builder->SetResourceQuota(quota);
  builder->SetMaxReceiveMessageSize(limits.request_bytes_max);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.calls_per_connection_max);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              Ms(limits.client_ping_interval_min));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Ms(limits.ping_after_silence));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Ms(limits.ping_timeout));
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA,
                              0);  // no limit: an idle connection is watched, too
}

}  // namespace

struct Server::Impl {
  Transport* transport = nullptr;
  std::stop_source stop;
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<grpc::Service> plugin_service;  // null: none
  std::unique_ptr<grpc::Server> server;
  bool shut_down = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (impl_->server) Shutdown(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::Start(const std::string& address, Parts parts, const ServerLimits& limits) {
  const auto wanted = ParseListenAddress(address);
  if (!wanted.ok()) return wanted.error();
  InitGrpc();
  auto impl = std::make_unique<Impl>();
  impl->transport = parts.transport;
  impl->service = MakeConnectorService(parts.runtime, limits.waiting_sets_max, impl->stop.get_token());
  grpc::ServerBuilder builder;
  // By default two servers may share a port, and each gets a part of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  Limit(limits, &builder);
  builder.RegisterService(impl->service.get());
  if (parts.plugin != nullptr) {
    impl->plugin_service = MakePluginService(parts.plugin);
    builder.RegisterService(impl->plugin_service.get());
  }
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  impl->server = builder.BuildAndStart();
  if (!impl->server || port == 0) {
    return Error(Code::kUnavailable,
                 "cannot listen on " + address +
                     ": the port is in use or the address is not of this machine; free it or choose "
                     "another with --listen (port 0 picks a free one)");
  }
  grpc::HealthCheckServiceInterface* health = impl->server->GetHealthCheckService();
  parts.transport->WatchConnection([health](bool connected) {
    for (const char* name : {"", "connector.v1.ConnectorService"}) health->SetServingStatus(name, connected);
  });
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  server->address_ = wanted.value().host + ":" + std::to_string(port);
  return server;
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (impl_->shut_down) return;
  impl_->shut_down = true;
  impl_->transport->WatchConnection({});
  impl_->server->GetHealthCheckService()->Shutdown();
  impl_->stop.request_stop();
  impl_->server->Shutdown(std::chrono::system_clock::now() + grace);
}

}  // namespace kps
