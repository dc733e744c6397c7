#include <nats/nats.h>

#include <stdexcept>

#include "tests/e2e/data_service.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"

namespace kps::test {
namespace {

void Require(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

// It comes back when its server does.
class JetStreamClient {
 public:
  explicit JetStreamClient(const std::string& url) {
    natsOptions* options = nullptr;
    Require(natsOptions_Create(&options));
    Require(natsOptions_SetURL(options, url.c_str()));
    Require(natsOptions_SetMaxReconnect(options, -1));
    Require(natsOptions_SetReconnectWait(options, 20));
    Require(natsConnection_Connect(&connection_, options));
    natsOptions_Destroy(options);
    Require(natsConnection_JetStream(&context_, connection_, nullptr));
  }
  ~JetStreamClient() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
  }
  JetStreamClient(const JetStreamClient&) = delete;
  JetStreamClient& operator=(const JetStreamClient&) = delete;

  // Whether the stream has said that it has it.
  bool Publish(const char* subject, const std::string& payload) {
    jsPubOptions options;
    Require(jsPubOptions_Init(&options));
    options.MaxWait = 1000;
    const auto bytes = static_cast<int>(payload.size());
    return js_Publish(nullptr, context_, subject, payload.data(), bytes, &options, nullptr) == NATS_OK;
  }
  bool Read(const char* stream, std::uint64_t sequence, std::string* payload) {
    natsMsg* message = nullptr;
    if (js_GetMsg(&message, context_, stream, sequence, nullptr, nullptr) != NATS_OK) return false;
    payload->assign(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    natsMsg_Destroy(message);
    return true;
  }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* context_ = nullptr;
};

// With JetStream, whose streams outlive a stop.
class NatsService : public DataService {
 public:
  NatsService() {
    RawNats raw(server_.url());
    raw.CreateStream("READ", "\"read\"");
    raw.CreateStream("WRITTEN", "\"written\"");
  }

  std::string plugin() const override { return "nats"; }
  std::string IngressMetadata() const override { return Metadata("read"); }
  std::string EgressMetadata() const override { return Metadata("written"); }
  void Send(const std::vector<std::string>& payloads) override {
    for (const std::string& payload : payloads) {
      if (!Eventually([&] { return client_.Publish("read", payload); })) throw std::runtime_error("not published");
    }
  }
  std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) override {
    std::string payload;
    const auto read = [&] { return client_.Read("WRITTEN", received_.size() + 1, &payload); };
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (received_.size() < count) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (!Eventually(read, left)) break;
      received_.push_back(payload);
    }
    return received_;
  }
  void Stop() override { server_.Stop(); }
  void Start() override { server_.Start(); }

 private:
  std::string Metadata(const std::string& subject) const {
    return R"({"broker": ")" + server_.url() + R"(", "subject": ")" + subject + R"(", "jetstream": true})";
  }
  NatsServer server_{JetStreamConfig()};
  JetStreamClient client_{server_.url()};
  std::vector<std::string> received_;
};

}  // namespace

std::unique_ptr<DataService> MakeNatsService() { return std::make_unique<NatsService>(); }

}  // namespace kps::test
