// What a gRPC server owes its clients, apart from the contract.

#include "host/grpc/server.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/grpc/fixture.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using namespace std::chrono_literals;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;

constexpr char kService[] = "connector.v1.ConnectorService";
constexpr char kOneStream[] =
    R"({"connectorId":"me","payloads":[{"stream":{"id":"s","direction":"STREAM_DIRECTION_INGRESS","transportChannel":"a"}}]})";
constexpr char kConfig[] = R"({"connectorId":"me","payloads":[{"config":{"metadata":{"x":1}}}]})";

// "SERVING", or the name of gRPC's error.
std::string Check(Fixture& fixture, const std::string& service) {
  const auto stub = Health::NewStub(fixture.NewChannel());
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return "error " + std::to_string(status.error_code());
  return HealthCheckResponse::ServingStatus_Name(response.status());
}

TEST(Health, ServesWhileTheTransportIsConnected) {
  Fixture fixture({.connected = false});
  for (const char* service : {"", kService}) EXPECT_EQ(Check(fixture, service), "NOT_SERVING");
  fixture.Connect(true);
  for (const char* service : {"", kService}) EXPECT_EQ(Check(fixture, service), "SERVING");
  fixture.Connect(false);
  for (const char* service : {"", kService}) EXPECT_EQ(Check(fixture, service), "NOT_SERVING");
  EXPECT_EQ(Check(fixture, "no.such.Service"), "error 5") << "NOT_FOUND";
}

TEST(Health, AWatchSeesEveryChange) {
  Fixture fixture;
  const auto stub = Health::NewStub(fixture.NewChannel());
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service(kService);
  const auto watch = stub->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  fixture.Connect(false);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  fixture.Connect(true);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  // The first that a client sees of a shutdown.
  std::thread shutdown([&] { fixture.server().Shutdown(10s); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  context.TryCancel();
  shutdown.join();
}

TEST(Shutdown, TheTransportsNewsAreNoLongerListenedTo) {
  Fixture fixture;
  fixture.server().Shutdown(0ms);
  EXPECT_FALSE(fixture.plant().Do([&] { return static_cast<bool>(fixture.plant().watcher); }));
}

TEST(Shutdown, ARunningCallEndsAndANewOneDoesNotBegin) {
  Fixture fixture;
  fixture.plant().Do([&] { fixture.plant().configure_blocks = true; });
  v1::ResponseStatus running;
  std::thread call([&] { running = fixture.Set(kConfig); });
  ASSERT_TRUE(Eventually([&] { return fixture.plant().Do([&] { return fixture.plant().configures_blocked == 1; }); }));
  const auto channel = fixture.NewChannel();
  ASSERT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + kDeadline));
  const auto stub = v1::ConnectorService::NewStub(channel);
  std::thread shutdown([&] { fixture.server().Shutdown(kDeadline); });
  // Until the shutdown has begun, calls are answered.
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    v1::GetEventsResponse response;
    return stub->GetEvents(&context, {}, &response).error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  fixture.plant().Do([&] { fixture.plant().configure_blocks = false; });
  call.join();
  shutdown.join();
  EXPECT_EQ(running.code(), v1::RESPONSE_CODE_OK);
}

TEST(Shutdown, ACallThatDoesNotEndIsCancelledAfterTheGrace) {
  Fixture fixture;
  fixture.plant().Do([&] { fixture.plant().configure_blocks = true; });
  grpc::Status status;
  std::thread call([&] {
    grpc::ClientContext context;
    v1::SetPayloadResponse response;
    status = fixture.stub().SetPayload(&context, Fixture::FromJson(kConfig), &response);
    fixture.plant().Do([&] { fixture.plant().configure_blocks = false; });
  });
  ASSERT_TRUE(Eventually([&] { return fixture.plant().Do([&] { return fixture.plant().configures_blocked == 1; }); }));
  fixture.server().Shutdown(50ms);  // returns once the handler has, which the client's cancelled call lets go
  call.join();
  EXPECT_FALSE(status.ok());
}

// The names of the services that server reflection lists. Its messages are those that libgrpc++_reflection registers.
std::vector<std::string> ReflectedServices(Fixture& fixture) {
  using google::protobuf::DescriptorPool;
  using google::protobuf::MessageFactory;
  const auto make = [](const char* name) {
    const auto* type = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    return std::unique_ptr<google::protobuf::Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
  };
  const auto request = make("grpc.reflection.v1alpha.ServerReflectionRequest");
  request->GetReflection()->SetString(request.get(), request->GetDescriptor()->FindFieldByName("list_services"), "*");
  const std::string bytes = request->SerializeAsString();
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer sent(&slice, 1);

  grpc::GenericStub stub(fixture.NewChannel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto done = [&] { return queue.Next(&tag, &ok) && ok; };
  auto call = stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  if (!done()) return {"no call"};
  call->Write(sent, nullptr);
  if (!done()) return {"not written"};
  grpc::ByteBuffer received;
  call->Read(&received, nullptr);
  if (!done()) return {"no answer"};
  grpc::Slice answer;
  EXPECT_TRUE(received.DumpToSingleSlice(&answer).ok());
  const auto response = make("grpc.reflection.v1alpha.ServerReflectionResponse");
  EXPECT_TRUE(response->ParseFromArray(answer.begin(), static_cast<int>(answer.size())));
  const std::string text = response->ShortDebugString();
  std::vector<std::string> names;
  for (std::size_t at = text.find("service { name: \""); at != text.npos; at = text.find("service { name: \"", at)) {
    at += std::string_view("service { name: \"").size();
    names.push_back(text.substr(at, text.find('"', at) - at));
  }
  call->WritesDone(nullptr);
  done();
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  return names;
}

TEST(Reflection, ListsTheServices) {
  Fixture fixture;
  EXPECT_THAT(ReflectedServices(fixture),
              testing::IsSupersetOf({std::string(kService), std::string("grpc.health.v1.Health")}));
}

TEST(Limits, ARequestThatIsTooLargeIsRefusedAndTheConnectionGoesOn) {
  Fixture fixture({.limits = {.request_bytes_max = 1 << 16}});
  auto request = Fixture::FromJson(kOneStream);
  auto& note = (*request.mutable_payloads(0)->mutable_stream()->mutable_metadata()->mutable_fields())["note"];
  note.set_string_value(std::string(1 << 17, 'x'));
  grpc::ClientContext context;
  v1::SetPayloadResponse response;
  const grpc::Status status = fixture.stub().SetPayload(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(fixture.Get(v1::PAYLOAD_KIND_STREAM).payloads_size(), 0);
  note.set_string_value(std::string(1 << 15, 'x'));
  EXPECT_EQ(fixture.Set(request).code(), v1::RESPONSE_CODE_OK);
}

TEST(Limits, AThousandStreamsWithFatMetadataPass) {
  Fixture fixture;
  v1::SetPayloadRequest request;
  request.set_connector_id("me");
  for (int i = 0; i < 1000; ++i) {
    auto* stream = request.add_payloads()->mutable_stream();
    stream->set_id("stream-" + std::to_string(i));
    stream->set_direction(v1::STREAM_DIRECTION_UNSPECIFIED);  // refused, so that no thousand threads start
    (*stream->mutable_metadata()->mutable_fields())["note"].set_string_value(std::string(15'000, 'x'));
  }
  EXPECT_EQ(Violations(fixture.Set(request)).size(), 1001u);
}

// Calls that wait behind another in SetPayload, with what their clients do meanwhile.
class QueueTest : public testing::Test {
 protected:
  struct Call {
    grpc::ClientContext context;
    v1::SetPayloadResponse response;
    grpc::Status status;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  void SetUp() override {
    fixture_.plant().Do([&] { fixture_.plant().configure_blocks = true; });
    first_ = std::thread([this] { first_status_ = fixture_.Set(kConfig); });
    ASSERT_TRUE(
        Eventually([&] { return fixture_.plant().Do([&] { return fixture_.plant().configures_blocked == 1; }); }));
  }
  void ReleaseFirst() {
    fixture_.plant().Do([&] { fixture_.plant().configure_blocks = false; });
    first_.join();
    EXPECT_EQ(first_status_.code(), v1::RESPONSE_CODE_OK);
  }
  // One call in line and one for which there is no place: as that is refused, the other is known to be in line.
  void FillLine() {
    for (Call& call : calls_) {
      call.thread = std::thread([this, &call] {
        call.status = fixture_.stub().SetPayload(&call.context, Fixture::FromJson(kLate), &call.response);
        call.done = true;
      });
    }
    ASSERT_TRUE(Eventually([&] { return calls_[0].done || calls_[1].done; }));
    refused_ = &calls_[calls_[0].done ? 0 : 1];
    in_line_ = &calls_[calls_[0].done ? 1 : 0];
    refused_->thread.join();
    EXPECT_EQ(refused_->response.status().code(), v1::RESPONSE_CODE_RESOURCE_EXHAUSTED);
    EXPECT_THAT(refused_->response.status().message(), HasSubstr("1 SetPayloads wait already"));
  }
  // Whether a call is let into the line: it then waits for its turn until its deadline passes.
  bool WaitsInLine() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 100ms);
    v1::SetPayloadResponse response;
    const auto status = fixture_.stub().SetPayload(&context, Fixture::FromJson(kLate), &response);
    // The server's clock started when the call came in, a little later than the client's; but the client also says that
    // it gave up, and on one connection the server learns of it before it answers a later call.
    (void)fixture_.Events();
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return true;
    EXPECT_EQ(response.status().code(), v1::RESPONSE_CODE_RESOURCE_EXHAUSTED) << status.error_message();
    return false;
  }
  // Every call that came before this one has been answered when it is.
  std::string StateAfterAllCalls() {
    EXPECT_EQ(fixture_.Set(R"({"connectorId":"me","payloads":[{"config":{"metadata":{"last":1}}}]})").code(),
              v1::RESPONSE_CODE_OK);
    return OneLine(fixture_.Get(v1::PAYLOAD_KIND_STREAM)) + OneLine(fixture_.Get(v1::PAYLOAD_KIND_CONFIG));
  }

  static constexpr char kLate[] = R"({"connectorId":"me","payloads":[{"config":{"metadata":{"late":1}}}]})";

  Fixture fixture_{{.limits = {.waiting_sets_max = 1}}};
  std::thread first_;
  v1::ResponseStatus first_status_;
  Call calls_[2];
  Call* refused_ = nullptr;
  Call* in_line_ = nullptr;
};

TEST_F(QueueTest, ACallWhoseDeadlinePassesBeforeItsTurnIsNotAppliedAndGivesItsPlaceBack) {
  EXPECT_TRUE(WaitsInLine());
  EXPECT_TRUE(Eventually([&] { return WaitsInLine(); })) << "while the first one still has its turn";
  ReleaseFirst();
  EXPECT_THAT(StateAfterAllCalls(), testing::Not(HasSubstr("late")));
}

TEST_F(QueueTest, MoreThanTheLineTakesAreRefusedAndOneThatIsCancelledInItGivesItsPlaceBack) {
  FillLine();
  // The other calls are answered meanwhile.
  EXPECT_EQ(fixture_.Events().status().code(), v1::RESPONSE_CODE_OK);
  in_line_->context.TryCancel();
  in_line_->thread.join();
  EXPECT_EQ(in_line_->status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return WaitsInLine(); }));
  ReleaseFirst();
  EXPECT_THAT(StateAfterAllCalls(), testing::Not(HasSubstr("late")));
}

TEST_F(QueueTest, AShutdownRefusesWhatWaitsAndLetsTheRunningOneEnd) {
  FillLine();
  std::thread shutdown([&] { fixture_.server().Shutdown(kDeadline); });
  in_line_->thread.join();
  EXPECT_TRUE(in_line_->status.ok()) << in_line_->status.error_message();
  EXPECT_EQ(in_line_->response.status().code(), v1::RESPONSE_CODE_UNAVAILABLE);
  EXPECT_EQ(in_line_->response.status().message(), "the host is shutting down");
  ReleaseFirst();
  shutdown.join();
  EXPECT_EQ(fixture_.plant().Do([&] { return fixture_.plant().configs.size(); }), 1u);
}

// An HTTP/2 client that speaks no more than it has to.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const timeval deadline{10, 0};  // below what gRPC itself waits for the answer to a ping
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\x04\0\0\0\0\0", 9));
  }
  ~RawClient() { close(fd_); }

  void Ping() { Send(std::string("\0\0\x08\x06\0\0\0\0\0", 9) + "12345678"); }

  // Reads until a frame of the type, or until the end (-1). The deadline passing is -2.
  int ReadUntil(int type, int or_type) {
    for (;;) {
      std::string header = Read(9);
      if (header.size() < 9) return ended_ ? -1 : -2;
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
      Read(static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2)));
      if (byte(3) == type || byte(3) == or_type) return byte(3);
    }
  }

 private:
  void Send(const std::string& bytes) { (void)send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  std::string Read(std::size_t size) {
    std::string bytes(size, 0);
    std::size_t got = 0;
    while (got < size) {
      const ssize_t count = recv(fd_, bytes.data() + got, size - got, 0);
      if (count <= 0) {
        ended_ = count == 0 || errno == ECONNRESET;
        break;
      }
      got += static_cast<std::size_t>(count);
    }
    bytes.resize(got);
    return bytes;
  }

  const int fd_;
  bool ended_ = false;
};

constexpr int kPingFrame = 6;
constexpr int kGoAwayFrame = 7;
constexpr int kNever = 99;

TEST(Keepalive, AClientThatNoLongerAnswersIsCutOff) {
  Fixture fixture({.limits = {.ping_after_silence = 100ms, .ping_timeout = 100ms}});
  RawClient client(fixture.address());
  EXPECT_EQ(client.ReadUntil(kPingFrame, kNever), kPingFrame) << "asked whether it is there";
  EXPECT_EQ(client.ReadUntil(kNever, kNever), -1) << "and closed";
}

TEST(Keepalive, PingsOfClientsAreBorneAsOftenAsTheLimitSays) {
  Fixture patient({.limits = {.client_ping_interval_min = 0ms}});
  RawClient client(patient.address());
  for (int i = 0; i < 20; ++i) {
    client.Ping();
    ASSERT_EQ(client.ReadUntil(kPingFrame, kGoAwayFrame), kPingFrame) << i;
  }
  Fixture strict({.limits = {.client_ping_interval_min = 3600s}});
  RawClient hasty(strict.address());
  int answer = kPingFrame;
  for (int i = 0; i < 20 && answer == kPingFrame; ++i) {
    hasty.Ping();
    answer = hasty.ReadUntil(kPingFrame, kGoAwayFrame);
  }
  EXPECT_EQ(answer, kGoAwayFrame);
}

}  // namespace
}  // namespace kps::test
