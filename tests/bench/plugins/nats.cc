// nats-server with JetStream: streams in files, as many messages unacknowledged as the plugin has.
#include <nats/nats.h>

#include <stdexcept>

#include "tests/bench/plugins/service.h"
#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"

namespace kps::bench {
namespace {

constexpr std::int64_t kUnacknowledgedMax = 16384;  // as the plugin
constexpr std::int64_t kWaitMs = 120'000;
constexpr int kFetch = 1000;

void Require(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

class Client {
 public:
  explicit Client(const std::string& url) {
    Require(natsConnection_ConnectTo(&connection_, url.c_str()));
    jsOptions options;
    Require(jsOptions_Init(&options));
    options.PublishAsync.MaxPending = kUnacknowledgedMax;
    options.PublishAsync.StallWait = kWaitMs;
    Require(natsConnection_JetStream(&context_, connection_, &options));
  }
  ~Client() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Publish(const char* subject, const Size& size) {
    const std::string payload(size.bytes, 'x');
    for (std::size_t i = 0; i < size.messages; ++i) {
      Require(js_PublishAsync(context_, subject, payload.data(), static_cast<int>(size.bytes), nullptr));
    }
    jsPubOptions options;
    Require(jsPubOptions_Init(&options));
    options.MaxWait = kWaitMs;
    Require(js_PublishAsyncComplete(context_, &options));
  }
  void Receive(const char* subject, std::size_t messages) {
    natsSubscription* subscription = nullptr;
    jsSubOptions options;
    Require(jsSubOptions_Init(&options));
    options.Config.MaxAckPending = kUnacknowledgedMax;
    Require(js_PullSubscribe(&subscription, context_, subject, "bare", nullptr, &options, nullptr));
    for (std::size_t received = 0; received < messages;) {
      natsMsgList list{};
      Require(natsSubscription_Fetch(&list, subscription, kFetch, kWaitMs, nullptr));
      for (int i = 0; i < list.Count; ++i) Require(natsMsg_Ack(list.Msgs[i], nullptr));
      received += static_cast<std::size_t>(list.Count);
      natsMsgList_Destroy(&list);
    }
    Require(natsConnection_Flush(connection_));
    natsSubscription_Destroy(subscription);
  }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* context_ = nullptr;
};

class Nats : public Service {
 public:
  const char* plugin() const override { return "nats"; }
  std::size_t IngressMessages() const override { return 100'000; }
  std::size_t EgressMessages() const override { return 100'000; }
  void Fill(const Size& size) override {
    test::RawNats raw(server_.url());
    for (const char* const stream : {"READ", "WRITTEN"}) {
      try {
        raw.Call(std::string("STREAM.DELETE.") + stream);
      } catch (const std::runtime_error&) {
        // There is none yet.
      }
    }
    raw.CreateStream("READ", "\"read\"");
    raw.CreateStream("WRITTEN", "\"written\"");
    Client(server_.url()).Publish("read", size);
  }
  std::string IngressMetadata() const override { return Metadata("read"); }
  std::string EgressMetadata() const override { return Metadata("written"); }
  void ReceiveBare(const Size& size, Stopwatch* stopwatch) override {
    stopwatch->Begin();
    Client(server_.url()).Receive("read", size.messages);
    stopwatch->End();
  }
  void SendBare(const Size& size, Stopwatch* stopwatch) override {
    Client client(server_.url());
    stopwatch->Begin();
    client.Publish("written", size);
    stopwatch->End();
  }

 private:
  std::string Metadata(const std::string& subject) const {
    return R"({"broker": ")" + server_.url() + R"(", "subject": ")" + subject + R"(", "jetstream": true})";
  }

  const test::NatsServer server_{test::JetStreamConfig()};
};

}  // namespace

std::unique_ptr<Service> MakeNats() { return std::make_unique<Nats>(); }

}  // namespace kps::bench
