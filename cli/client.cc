#include "cli/client.h"

#include <grpcpp/grpcpp.h>

#include <sstream>

#include "cli/render.h"
#include "connector/v1/connector.grpc.pb.h"
#include "google/rpc/error_details.pb.h"

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

Failure Unreachable(const std::string& address, std::chrono::milliseconds timeout, const grpc::Status& status) {
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
      text << "what listens at " << address << " does not serve connector.v1: is this the host's --address?";
      break;
    default:
      text << "the call to " << address << " failed: is the host running and well?";
  }
  if (!status.error_message().empty()) text << " (gRPC: " << Printable(status.error_message()) << ")";
  return {kExitUnreachable, text.str()};
}

}  // namespace

struct Client::Connection {
  std::unique_ptr<v1::ConnectorService::Stub> stub;

  template <typename Response, typename Method, typename Request>
  Result<Response> Call(const Client& client, Method method, const Request& request, const std::stop_token& stop = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + client.timeout_);
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    if (!status.ok()) return Unreachable(client.address_, client.timeout_, status);
    if (response.status().code() != v1::RESPONSE_CODE_OK) {
      return Failure{kExitRefused, DescribeRefusal(response.status())};
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
    : address_(std::move(address)),
      timeout_(timeout),
      connection_(new Connection{v1::ConnectorService::NewStub(Connect(address_))}) {}

Client::~Client() = default;

Result<v1::GetPayloadResponse> Client::GetStreams(const std::string& connector_id) {
  return connection_->Get(*this, connector_id, v1::PAYLOAD_KIND_STREAM);
}

Result<v1::GetPayloadResponse> Client::GetConfig(const std::string& connector_id) {
  return connection_->Get(*this, connector_id, v1::PAYLOAD_KIND_CONFIG);
}

Result<v1::SetPayloadResponse> Client::Set(const v1::SetPayloadRequest& request) {
  return connection_->Call<v1::SetPayloadResponse>(*this, &v1::ConnectorService::Stub::SetPayload, request);
}

Result<v1::GetEventsResponse> Client::GetEvents(const std::string& connector_id, const std::stop_token& stop) {
  v1::GetEventsRequest request;
  request.set_connector_id(connector_id);
  return connection_->Call<v1::GetEventsResponse>(*this, &v1::ConnectorService::Stub::GetEvents, request, stop);
}

std::string DescribeRefusal(const v1::ResponseStatus& status) {
  std::string text = ShortEnumName(v1::ResponseCode_Name(status.code()), "RESPONSE_CODE_");
  if (text.empty()) text = "code " + std::to_string(status.code());
  text += ": " + (status.message().empty() ? "(the connector gave no reason)" : Printable(status.message()));
  for (const google::protobuf::Any& detail : status.details()) {
    google::rpc::BadRequest bad_request;
    if (!detail.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      text += "\n  " + Printable(violation.field()) + ": " + Printable(violation.description());
    }
  }
  return text;
}

}  // namespace kps::cli
