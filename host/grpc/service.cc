#include "host/grpc/service.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "connector/v1/connector.grpc.pb.h"
#include "host/core/json.h"
#include "host/core/mutex.h"
#include "host/core/runtime.h"
#include "host/grpc/convert.h"
#include "host/grpc/parse_request.h"

namespace kps {
namespace {

namespace pb = connector::v1;

Error FirstOf(const std::vector<Violation>& violations) {
  return Error(Code::kInvalidArgument, violations.front().field + " " + violations.front().description);
}

// OK while somebody waits for the answer.
grpc::Status StillWanted(const grpc::ServerContext& context) {
  if (context.deadline() <= std::chrono::system_clock::now()) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed before the call's turn: nothing was changed"};
  }
  if (context.IsCancelled()) return {grpc::StatusCode::CANCELLED, "cancelled before its turn: nothing was changed"};
  return grpc::Status::OK;
}

class Place;

// The SetPayloads that were let in, in the order in which they came. The first one has its turn.
struct Line {
  explicit Line(std::size_t places_max) : places_max(places_max) {}

  const std::size_t places_max;  // the turn is one of them
  Mutex mutex;
  CondVar moved;
  std::vector<const Place*> places KPS_GUARDED_BY(mutex);
};

// A place in the line, from before the turn until it is over.
class Place {
 public:
  explicit Place(Line* line) : line_(line) {
    MutexLock lock(line_->mutex);
    granted_ = line_->places.size() < line_->places_max;
    if (granted_) line_->places.push_back(this);
  }
  ~Place() {
    if (!granted_) return;
    MutexLock lock(line_->mutex);
    std::erase(line_->places, this);
    line_->moved.NotifyAll();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool granted() const { return granted_; }

  // OK: it is the turn, or a stop is requested. Else nobody waits for the answer any longer.
  grpc::Status AwaitTurn(const grpc::ServerContext& context, const std::stop_token& stop) {
    MutexLock lock(line_->mutex);
    for (;;) {
      if (grpc::Status status = StillWanted(context); !status.ok()) return status;
      if (line_->places.front() == this || stop.stop_requested()) return grpc::Status::OK;
      // A call that is cancelled wakes nobody.
      constexpr std::chrono::nanoseconds kLookAgain = std::chrono::milliseconds(50);
      const auto left = std::min(kLookAgain, context.deadline() - std::chrono::system_clock::now());
      (void)line_->moved.WaitUntil(line_->mutex, std::chrono::steady_clock::now() + left);
    }
  }

 private:
  Line* const line_;
  bool granted_ = false;
};

// In the place of the generated service, which leaves requests that cannot be parsed to gRPC.
std::optional<Violation> Parse(const grpc::ByteBuffer& bytes, google::protobuf::Message* request) {
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok()) return Violation{"request", "is missing: the call has no message"};
  return ParseRequest({reinterpret_cast<const char*>(slice.begin()), slice.size()}, request);
}

class ConnectorService final : public grpc::Service {
 public:
  ConnectorService(Runtime* runtime, int waiting_sets_max, std::stop_token stop)
      : runtime_(runtime), waiting_sets_max_(waiting_sets_max), stop_(std::move(stop)) {
    Serve("/connector.v1.ConnectorService/GetPayload", &ConnectorService::GetPayload);
    Serve("/connector.v1.ConnectorService/SetPayload", &ConnectorService::SetPayload);
    Serve("/connector.v1.ConnectorService/GetEvents", &ConnectorService::GetEvents);
  }

 private:
  template <typename Request, typename Response>
  using Call = grpc::Status (ConnectorService::*)(grpc::ServerContext*, const Request&, Response*);

  // `path` is kept by gRPC as it is.
  template <typename Request, typename Response>
  void Serve(const char* path, Call<Request, Response> call) {
    using Handler = grpc::internal::RpcMethodHandler<ConnectorService, grpc::ByteBuffer, Response, grpc::ByteBuffer,
                                                     grpc::protobuf::MessageLite>;
    const auto parse_and_call = [call](ConnectorService* service, grpc::ServerContext* context,
                                       const grpc::ByteBuffer* bytes, Response* response) {
      Request request;
      const std::optional<Violation> violation = Parse(*bytes, &request);
      if (!violation) return (service->*call)(context, request, response);
      FromOutcome(FirstOf({*violation}), {*violation}, response->mutable_status());
      return grpc::Status::OK;
    };
    AddMethod(new grpc::internal::RpcServiceMethod(path, grpc::internal::RpcMethod::NORMAL_RPC,
                                                   new Handler(parse_and_call, this)));
  }

  grpc::Status SetPayload(grpc::ServerContext* context, const pb::SetPayloadRequest& request,
                          pb::SetPayloadResponse* response) {
    Place place(&line_);
    if (!place.granted()) {
      const Error error(
          Code::kResourceExhausted,
          std::to_string(waiting_sets_max_) + " SetPayloads wait already: try again when one of them is answered");
      FromOutcome(error, {}, response->mutable_status());
      return grpc::Status::OK;
    }
    const SetPayloadCommand command = ToCommand(request);
    if (grpc::Status status = place.AwaitTurn(*context, stop_); !status.ok()) return status;
    if (stop_.stop_requested()) {
      FromOutcome(Error(Code::kUnavailable, "the host is shutting down"), {}, response->mutable_status());
      return grpc::Status::OK;
    }
    const Runtime::SetOutcome outcome = runtime_->SetPayload(command);
    FromOutcome(outcome.error, outcome.violations, response->mutable_status());
    return grpc::Status::OK;
  }

  grpc::Status GetPayload(grpc::ServerContext*, const pb::GetPayloadRequest& request,
                          pb::GetPayloadResponse* response) {
    std::vector<Violation> violations = runtime_->CheckId(request.connector_id());
    if (request.kind() != pb::PAYLOAD_KIND_STREAM && request.kind() != pb::PAYLOAD_KIND_CONFIG) {
      violations.push_back(
          {"kind", "is " + std::to_string(request.kind()) + ": use PAYLOAD_KIND_STREAM or PAYLOAD_KIND_CONFIG"});
    }
    if (!violations.empty()) {
      FromOutcome(FirstOf(violations), violations, response->mutable_status());
      return grpc::Status::OK;
    }
    FromOutcome({}, {}, response->mutable_status());
    if (request.kind() == pb::PAYLOAD_KIND_STREAM) {
      for (const auto& view : runtime_->Streams()) FromStreamView(view, response->add_payloads()->mutable_stream());
    } else {
      JsonToStruct(ToJson(runtime_->Config()), response->add_payloads()->mutable_config()->mutable_metadata());
    }
    return grpc::Status::OK;
  }

  grpc::Status GetEvents(grpc::ServerContext*, const pb::GetEventsRequest& request, pb::GetEventsResponse* response) {
    if (const auto violations = runtime_->CheckId(request.connector_id()); !violations.empty()) {
      FromOutcome(FirstOf(violations), violations, response->mutable_status());
      return grpc::Status::OK;
    }
    FromOutcome({}, {}, response->mutable_status());
    for (const Event& event : runtime_->Events()) FromEvent(event, response->add_event_payloads());
    return grpc::Status::OK;
  }

  Runtime* const runtime_;
  const int waiting_sets_max_;
  const std::stop_token stop_;
  Line line_{static_cast<std::size_t>(waiting_sets_max_) + 1};
};

}  // namespace

std::unique_ptr<grpc::Service> MakeConnectorService(Runtime* runtime, int waiting_sets_max, std::stop_token stop) {
  return std::make_unique<ConnectorService>(runtime, waiting_sets_max, std::move(stop));
}

}  // namespace kps
