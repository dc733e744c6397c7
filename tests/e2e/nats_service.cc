#include <nats/nats.h>

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>

#include "tests/e2e/data_service.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"

namespace kps::test {
namespace {

constexpr std::size_t kPiece = 100;
constexpr std::int64_t kAnswerMs = 5000;

void Require(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

// Does not come back: what it has not sent goes with it.
class JetStreamClient {
 public:
  explicit JetStreamClient(const std::string& url) {
    natsOptions* options = nullptr;
    Require(natsOptions_Create(&options));
    Require(natsOptions_SetURL(options, url.c_str()));
    Require(natsOptions_SetAllowReconnect(options, false));
    const natsStatus status = natsConnection_Connect(&connection_, options);
    natsOptions_Destroy(options);
    Require(status);
    Require(natsConnection_JetStream(&context_, connection_, nullptr));
  }
  ~JetStreamClient() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
  }
  JetStreamClient(const JetStreamClient&) = delete;
  JetStreamClient& operator=(const JetStreamClient&) = delete;

  // Whether the stream has said that it has them all.
  bool Publish(const char* subject, std::span<const std::string> payloads) {
    for (const std::string& payload : payloads) {
      const auto bytes = static_cast<int>(payload.size());
      if (js_PublishAsync(context_, subject, payload.data(), bytes, nullptr) != NATS_OK) return false;
    }
    jsPubOptions options;
    Require(jsPubOptions_Init(&options));
    options.MaxWait = kAnswerMs;
    return js_PublishAsyncComplete(context_, &options) == NATS_OK;
  }
  // NATS_NOT_FOUND: the stream has not come as far.
  natsStatus Read(const char* stream, std::uint64_t sequence, std::string* payload) {
    natsMsg* message = nullptr;
    const natsStatus status = js_GetMsg(&message, context_, stream, sequence, nullptr, nullptr);
    if (status != NATS_OK) return status;
    payload->assign(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    natsMsg_Destroy(message);
    return NATS_OK;
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
  // A piece again over another connection keeps the order: the stream has the start of it, or nothing.
  void Send(const std::vector<std::string>& payloads) override {
    std::unique_ptr<JetStreamClient> client;
    for (std::span<const std::string> rest(payloads); !rest.empty();) {
      const auto piece = rest.first(std::min(kPiece, rest.size()));
      const bool sent = Eventually([&] {
        if (client == nullptr) client = Connect();
        if (client != nullptr && client->Publish("read", piece)) return true;
        client.reset();
        return false;
      });
      if (!sent) throw std::runtime_error("not published");
      rest = rest.subspan(piece.size());
    }
  }
  std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) override {
    std::unique_ptr<JetStreamClient> client;
    std::string payload;
    const auto read = [&] {
      if (client == nullptr) client = Connect();
      if (client == nullptr) return false;
      const natsStatus status = client->Read("WRITTEN", received_.size() + 1, &payload);
      if (status != NATS_OK && status != NATS_NOT_FOUND) client.reset();
      return status == NATS_OK;
    };
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
  // Null: nobody answers.
  std::unique_ptr<JetStreamClient> Connect() const {
    try {
      return std::make_unique<JetStreamClient>(server_.url());
    } catch (const std::runtime_error&) {
      return nullptr;
    }
  }

  NatsServer server_{JetStreamConfig()};
  std::vector<std::string> received_;
};

}  // namespace

std::unique_ptr<DataService> MakeNatsService() { return std::make_unique<NatsService>(); }

}  // namespace kps::test
