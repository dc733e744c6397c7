#include "tests/cli/fake_connector.h"

#include <grpcpp/health_check_service_interface.h>

#include <chrono>

namespace kps::cli {

using namespace std::chrono_literals;

std::string ToJson(const google::protobuf::Message& message) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json).ok());
  return json;
}

FakeConnector::FakeConnector() {
  for (auto* status :
       {streams_.mutable_status(), config_.mutable_status(), set_.mutable_status(), events_.mutable_status()}) {
    status->set_code(v1::RESPONSE_CODE_OK);
  }
  int port = 0;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeConnector::~FakeConnector() { server_->Shutdown(std::chrono::system_clock::now() + 5s); }

void FakeConnector::AnswerStreams(const std::string& json) {
  const std::lock_guard lock(mutex_);
  streams_.mutable_payloads()->Clear();
  streams_.MergeFrom(FromJson<v1::GetPayloadResponse>(json));
}

void FakeConnector::AnswerConfig(const std::string& json) {
  const std::lock_guard lock(mutex_);
  config_.mutable_payloads()->Clear();
  config_.MergeFrom(FromJson<v1::GetPayloadResponse>(json));
}

void FakeConnector::AnswerSet(const v1::SetPayloadResponse& response) {
  const std::lock_guard lock(mutex_);
  set_ = response;
}

void FakeConnector::AnswerEvents(const std::string& json) {
  const std::lock_guard lock(mutex_);
  events_.mutable_event_payloads()->Clear();
  events_.MergeFrom(FromJson<v1::GetEventsResponse>(json));
}

void FakeConnector::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(v1::ConnectorService::service_full_name(), serving);
}

void FakeConnector::Hang() {
  const std::lock_guard lock(mutex_);
  hang_ = true;
}

void FakeConnector::FailCalls(grpc::StatusCode code) {
  const std::lock_guard lock(mutex_);
  failure_ = code;
}

std::vector<v1::SetPayloadRequest> FakeConnector::sets() const {
  const std::lock_guard lock(mutex_);
  return sets_;
}

std::vector<std::string> FakeConnector::connector_ids() const {
  const std::lock_guard lock(mutex_);
  return connector_ids_;
}

bool FakeConnector::WaitForEventCalls(int count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 20s, [&] { return event_calls_ >= count; });
}

bool FakeConnector::WaitForCall() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 20s, [&] { return !connector_ids_.empty(); });
}

grpc::Status FakeConnector::Begin(grpc::ServerContext* context, const std::string& connector_id) {
  std::unique_lock lock(mutex_);
  connector_ids_.push_back(connector_id);
  changed_.notify_all();
  while (hang_ && !context->IsCancelled()) changed_.wait_for(lock, 5ms);
  return failure_ == grpc::StatusCode::OK ? grpc::Status::OK : grpc::Status(failure_, "scripted");
}

grpc::Status FakeConnector::GetPayload(grpc::ServerContext* context, const v1::GetPayloadRequest* request,
                                       v1::GetPayloadResponse* response) {
  const grpc::Status begun = Begin(context, request->connector_id());
  const std::lock_guard lock(mutex_);
  *response = request->kind() == v1::PAYLOAD_KIND_CONFIG ? config_ : streams_;
  return begun;
}

grpc::Status FakeConnector::SetPayload(grpc::ServerContext* context, const v1::SetPayloadRequest* request,
                                       v1::SetPayloadResponse* response) {
  const grpc::Status begun = Begin(context, request->connector_id());
  const std::lock_guard lock(mutex_);
  sets_.push_back(*request);
  *response = set_;
  return begun;
}

grpc::Status FakeConnector::GetEvents(grpc::ServerContext* context, const v1::GetEventsRequest* request,
                                      v1::GetEventsResponse* response) {
  const grpc::Status begun = Begin(context, request->connector_id());
  const std::lock_guard lock(mutex_);
  *response = events_;
  ++event_calls_;
  changed_.notify_all();
  return begun;
}

}  // namespace kps::cli
