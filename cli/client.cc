#include "cli/client.h"

#include <grpcpp/grpcpp.h>

#include <sstream>

#include "cli/read_payloads.h"
#include "cli/refusal.h"
#include "cli/render.h"
#include "connector/v1/connector.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "kps/host/v1/plugin.grpc.pb.h"

namespace kps::cli {
namespace {

constexpr int kResponseBytesMax = 64 << 20;

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kResponseBytesMax);
  // A connector is a neighbour: a proxy of the environment would only stand between.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // `events --follow` should find a restarted host within a poll or two.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Failure Unreachable(const std::string& address, const char* service, std::chrono::milliseconds timeout,
                    const grpc::Status& status) {
  std::ostringstream text;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      text << "cannot reach a connector at " << address
           << ": is the host running (kps-connector-host), and is this its --address?";
      break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      text << "no answer from " << address << " within " << static_cast<double>(timeout.count()) / 1000
           << " s: is the host running and well? --timeout waits longer";
      break;
    case grpc::StatusCode::UNIMPLEMENTED:
      text << "what listens at " << address << " does not serve " << service << ": is this the host's --address?";
      break;
    default: text << "the call to " << address << " failed: is the host running and well?";
  }
  if (!status.error_message().empty()) text << " (gRPC: " << Printable(status.error_message()) << ")";
  return {kExitUnreachable, text.str()};
}

}  // namespace

struct Client::Connection {
  explicit Connection(const std::string& address)
      : channel(Connect(address)), stub(v1::ConnectorService::NewStub(channel)) {}

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::ConnectorService::Stub> stub;

  // The answer to a call, whatever it says.
  template <typename Response, typename Call>
  static Result<Response> Answer(const Client& client, const char* service, Call call,
                                 const std::stop_token& stop = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + client.timeout_);
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    Response response;
    const grpc::Status status = call(&context, &response);
    if (!status.ok()) return Unreachable(client.address_, service, client.timeout_, status);
    return response;
  }

  template <typename Response, typename Method, typename Request>
  Result<Response> Call(const Client& client, Method method, const Request& request, const std::stop_token& stop = {}) {
    auto response = Answer<Response>(
        client, "connector.v1",
        [&](auto* context, auto* answer) { return ((*stub).*method)(context, request, answer); }, stop);
    if (response.ok() && response.value().status().code() != v1::RESPONSE_CODE_OK) {
      return Failure{kExitRefused, DescribeRefusal(response.value().status(), {}, {})};
    }
    return response;
  }

  Result<v1::GetPayloadResponse> Get(const Client& client, const std::string& connector_id, v1::PayloadKind kind) {
    v1::GetPayloadRequest request;
    request.set_connector_id(connector_id);
    request.set_kind(kind);
    return Call<v1::GetPayloadResponse>(client, &v1::ConnectorService::Stub::GetPayload, request);
  }
};

Client::Client(std::string address, std::chrono::milliseconds timeout)
    : address_(std::move(address)), timeout_(timeout), connection_(new Connection(address_)) {}

Client::~Client() = default;

Result<v1::GetPayloadResponse> Client::GetStreams(const std::string& connector_id) {
  return connection_->Get(*this, connector_id, v1::PAYLOAD_KIND_STREAM);
}

Result<v1::GetPayloadResponse> Client::GetConfig(const std::string& connector_id) {
  return connection_->Get(*this, connector_id, v1::PAYLOAD_KIND_CONFIG);
}

Result<v1::SetPayloadResponse> Client::Set(const v1::SetPayloadRequest& request, const Sources& sources) {
  auto response = Connection::Answer<v1::SetPayloadResponse>(*this, "connector.v1", [&](auto* context, auto* answer) {
    return connection_->stub->SetPayload(context, request, answer);
  });
  if (response.ok() && response.value().status().code() != v1::RESPONSE_CODE_OK) {
    return Failure{kExitRefused, DescribeRefusal(response.value().status(), request, sources)};
  }
  return response;
}

Result<v1::GetEventsResponse> Client::GetEvents(const std::string& connector_id, const std::stop_token& stop) {
  v1::GetEventsRequest request;
  request.set_connector_id(connector_id);
  return connection_->Call<v1::GetEventsResponse>(*this, &v1::ConnectorService::Stub::GetEvents, request, stop);
}

Result<host::v1::PluginStatus> Client::GetPluginStatus() {
  const auto stub = host::v1::PluginService::NewStub(connection_->channel);
  return Connection::Answer<host::v1::PluginStatus>(*this, "kps.host.v1", [&](auto* context, auto* answer) {
    return stub->GetPluginStatus(context, host::v1::GetPluginStatusRequest(), answer);
  });
}

Result<host::v1::ReloadPluginResponse> Client::ReloadPlugin() {
  const auto stub = host::v1::PluginService::NewStub(connection_->channel);
  std::string refusal;
  auto response =
      Connection::Answer<host::v1::ReloadPluginResponse>(*this, "kps.host.v1", [&](auto* context, auto* answer) {
        grpc::Status status = stub->ReloadPlugin(context, host::v1::ReloadPluginRequest(), answer);
        if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) refusal = status.error_message();
        return status;
      });
  if (!refusal.empty()) return Failure{kExitRefused, Printable(refusal)};
  return response;
}

Result<std::string> Client::GetHealth() {
  using grpc::health::v1::HealthCheckResponse;
  const auto stub = grpc::health::v1::Health::NewStub(connection_->channel);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(v1::ConnectorService::service_full_name());
  const auto response = Connection::Answer<HealthCheckResponse>(
      *this, "grpc.health.v1", [&](auto* context, auto* answer) { return stub->Check(context, request, answer); });
  if (!response.ok()) return response.failure();
  return HealthCheckResponse::ServingStatus_Name(response.value().status());
}

}  // namespace kps::cli
