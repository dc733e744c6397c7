// A connector that says what the test tells it to, behind a real gRPC server on a port of its own.
#pragma once

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connector/v1/connector.grpc.pb.h"

namespace kps::cli {

namespace v1 = connector::v1;

template <typename Message>
Message FromJson(const std::string& json) {
  Message message;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString() << " in " << json;
  return message;
}

// One line, for comparisons that print well.
std::string ToJson(const google::protobuf::Message& message);

class FakeConnector final : public v1::ConnectorService::Service {
 public:
  FakeConnector();
  ~FakeConnector() override;

  const std::string& address() const { return address_; }

  // What the next calls answer, as protobuf JSON; OK and empty before.
  void AnswerStreams(const std::string& json);
  void AnswerConfig(const std::string& json);
  void AnswerSet(const v1::SetPayloadResponse& response);
  void AnswerEvents(const std::string& json);
  // What grpc.health.v1 says.
  void SetServing(bool serving);
  // Every call hangs until its client gives up.
  void Hang();
  // Every call ends with this instead of an answer.
  void FailCalls(grpc::StatusCode code);

  std::vector<v1::SetPayloadRequest> sets() const;
  std::vector<std::string> connector_ids() const;
  // Whether that many GetEvents were answered before the deadline of the test.
  bool WaitForEventCalls(int count);
  // Whether any call came in, answered or not.
  bool WaitForCall();

  grpc::Status GetPayload(grpc::ServerContext* context, const v1::GetPayloadRequest* request,
                          v1::GetPayloadResponse* response) override;
  grpc::Status SetPayload(grpc::ServerContext* context, const v1::SetPayloadRequest* request,
                          v1::SetPayloadResponse* response) override;
  grpc::Status GetEvents(grpc::ServerContext* context, const v1::GetEventsRequest* request,
                         v1::GetEventsResponse* response) override;

 private:
  grpc::Status Begin(grpc::ServerContext* context, const std::string& connector_id);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  v1::GetPayloadResponse streams_;
  v1::GetPayloadResponse config_;
  v1::SetPayloadResponse set_;
  v1::GetEventsResponse events_;
  bool hang_ = false;
  grpc::StatusCode failure_ = grpc::StatusCode::OK;
  std::vector<v1::SetPayloadRequest> sets_;
  std::vector<std::string> connector_ids_;
  int event_calls_ = 0;

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace kps::cli
