// mosquitto, QoS 1, MQTT 5. What is read waits in a session.
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <functional>
#include <stdexcept>

#include "tests/bench/plugins/service.h"
#include "tests/support/mosquitto_server.h"

namespace kps::bench {
namespace {

constexpr int kInFlightMax = 1000;  // as the plugin
constexpr char kReader[] = "reader";
constexpr std::uint32_t kSessionSeconds = 3600;

void Require(int result) {
  if (result != MOSQ_ERR_SUCCESS) throw std::runtime_error(mosquitto_strerror(result));
}

class Client {
 public:
  Client(int port, const char* id) : handle_(mosquitto_new(id, id == nullptr, this)) {
    Require(mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5));
    Require(mosquitto_int_option(handle_, MOSQ_OPT_RECEIVE_MAXIMUM, kInFlightMax));
    Require(mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, kInFlightMax));
    Require(mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1));
    mosquitto_connect_callback_set(handle_,
                                   [](mosquitto*, void* self, int) { ++static_cast<Client*>(self)->answers_; });
    mosquitto_subscribe_callback_set(
        handle_, [](mosquitto*, void* self, int, int, const int*) { ++static_cast<Client*>(self)->answers_; });
    mosquitto_publish_callback_set(handle_,
                                   [](mosquitto*, void* self, int) { ++static_cast<Client*>(self)->published_; });
    mosquitto_message_callback_set(
        handle_, [](mosquitto*, void* self, const mosquitto_message*) { ++static_cast<Client*>(self)->received_; });
    mosquitto_property* properties = nullptr;
    Require(mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, kSessionSeconds));
    const int result =
        mosquitto_connect_bind_v5(handle_, "127.0.0.1", port, 60, nullptr, id == nullptr ? nullptr : properties);
    mosquitto_property_free_all(&properties);
    Require(result);
  }
  ~Client() {
    mosquitto_disconnect(handle_);
    mosquitto_destroy(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Connect() {
    LoopUntil([&] { return answers_ == 1; });
  }
  void Subscribe(const char* topic) {
    Connect();
    Require(mosquitto_subscribe(handle_, nullptr, topic, 1));
    LoopUntil([&] { return answers_ == 2; });
  }
  void Publish(const char* topic, const Size& size) {
    const std::string payload(size.bytes, 'x');
    const std::size_t before = published_;
    for (std::size_t sent = 0; sent < size.messages; ++sent) {
      LoopUntil([&] { return sent - (published_ - before) < kInFlightMax; });
      Require(mosquitto_publish(handle_, nullptr, topic, static_cast<int>(size.bytes), payload.data(), 1, false));
    }
    LoopUntil([&] { return published_ - before == size.messages; });
  }
  void Receive(std::size_t messages) {
    LoopUntil([&] { return received_ == messages; });
  }

 private:
  void LoopUntil(const std::function<bool()>& reached) {
    while (!reached()) Require(mosquitto_loop(handle_, 1000, 1));
  }

  mosquitto* const handle_;
  int answers_ = 0;
  std::size_t published_ = 0;
  std::size_t received_ = 0;
};

class Mqtt : public Service {
 public:
  const char* plugin() const override { return "mqtt"; }
  std::size_t IngressMessages() const override { return 50'000; }
  std::size_t EgressMessages() const override { return 50'000; }
  void Fill(const Size& size) override {
    Client(server_.port(), kReader).Subscribe("read");
    Client sender(server_.port(), nullptr);
    sender.Connect();
    sender.Publish("read", size);
  }
  std::string IngressMetadata() const override {
    return Metadata("read", std::string(R"(, "clientId": ")") + kReader + '"');
  }
  std::string EgressMetadata() const override { return Metadata("written", ""); }
  void ReceiveBare(const Size& size, Stopwatch* stopwatch) override {
    stopwatch->Begin();
    Client(server_.port(), kReader).Receive(size.messages);
    stopwatch->End();
  }
  void SendBare(const Size& size, Stopwatch* stopwatch) override {
    Client client(server_.port(), nullptr);
    client.Connect();
    stopwatch->Begin();
    client.Publish("written", size);
    stopwatch->End();
  }

 private:
  std::string Metadata(const std::string& topic, const std::string& more) const {
    return R"({"broker": ")" + server_.url() + R"(", "topic": ")" + topic + '"' + more + "}";
  }

  const test::MosquittoServer server_;
};

}  // namespace

std::unique_ptr<Service> MakeMqtt() {
  mosquitto_lib_init();
  return std::make_unique<Mqtt>();
}

}  // namespace kps::bench
