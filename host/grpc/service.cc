#include "host/grpc/service.h"

#include <utility>
#include <vector>

#include "connector/v1/connector.grpc.pb.h"
#include "host/core/json.h"
#include "host/core/runtime.h"
#include "host/grpc/convert.h"

namespace kps {
namespace {

namespace pb = connector::v1;

Error FirstOf(const std::vector<Violation>& violations) {
  return Error(Code::kInvalidArgument, violations.front().field + " " + violations.front().description);
}

class ConnectorService final : public pb::ConnectorService::Service {
 public:
  explicit ConnectorService(Runtime* runtime) : runtime_(runtime) {}

  grpc::Status SetPayload(grpc::ServerContext*, const pb::SetPayloadRequest* request,
                          pb::SetPayloadResponse* response) override {
    std::vector<Violation> violations;
    const SetPayloadCommand command = ToCommand(*request, &violations);
    if (!violations.empty()) {
      FromOutcome(FirstOf(violations), violations, response->mutable_status());
      return grpc::Status::OK;
    }
    const Runtime::SetOutcome outcome = runtime_->SetPayload(command);
    FromOutcome(outcome.error, outcome.violations, response->mutable_status());
    return grpc::Status::OK;
  }

  grpc::Status GetPayload(grpc::ServerContext*, const pb::GetPayloadRequest* request,
                          pb::GetPayloadResponse* response) override {
    std::vector<Violation> violations = runtime_->CheckId(request->connector_id());
    if (request->kind() != pb::PAYLOAD_KIND_STREAM && request->kind() != pb::PAYLOAD_KIND_CONFIG) {
      violations.push_back({"kind", "is " + std::to_string(request->kind()) +
                                        ": use PAYLOAD_KIND_STREAM or PAYLOAD_KIND_CONFIG"});
    }
    if (!violations.empty()) {
      FromOutcome(FirstOf(violations), violations, response->mutable_status());
      return grpc::Status::OK;
    }
    FromOutcome({}, {}, response->mutable_status());
    if (request->kind() == pb::PAYLOAD_KIND_STREAM) {
      for (const auto& view : runtime_->Streams()) FromStreamView(view, response->add_payloads()->mutable_stream());
    } else {
      JsonToStruct(ToJson(runtime_->Config()), response->add_payloads()->mutable_config()->mutable_metadata());
    }
    return grpc::Status::OK;
  }

  grpc::Status GetEvents(grpc::ServerContext*, const pb::GetEventsRequest* request,
                         pb::GetEventsResponse* response) override {
    if (const auto violations = runtime_->CheckId(request->connector_id()); !violations.empty()) {
      FromOutcome(FirstOf(violations), violations, response->mutable_status());
      return grpc::Status::OK;
    }
    FromOutcome({}, {}, response->mutable_status());
    for (const Event& event : runtime_->Events()) FromEvent(event, response->add_event_payloads());
    return grpc::Status::OK;
  }

 private:
  Runtime* const runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeConnectorService(Runtime* runtime) {
  return std::make_unique<ConnectorService>(runtime);
}

}  // namespace kps
