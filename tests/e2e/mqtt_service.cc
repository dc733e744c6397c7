#include <mosquitto.h>

#include <mutex>
#include <stdexcept>

#include "tests/e2e/data_service.h"
#include "tests/support/eventually.h"
#include "tests/support/mosquitto_server.h"

namespace kps::test {
namespace {

// With a thread of libmosquitto's own, which connects again where the server went away, and a session that stays there.
class Client {
 public:
  Client(int port, const char* id) : handle_(mosquitto_new(id, false, this)) {
    mosquitto_publish_callback_set(handle_, [](mosquitto*, void* self, int) {
      const std::lock_guard lock(static_cast<Client*>(self)->mutex_);
      ++static_cast<Client*>(self)->published_;
    });
    mosquitto_subscribe_callback_set(handle_, [](mosquitto*, void* self, int, int, const int*) {
      const std::lock_guard lock(static_cast<Client*>(self)->mutex_);
      static_cast<Client*>(self)->subscribed_ = true;
    });
    mosquitto_message_callback_set(handle_, [](mosquitto*, void* self, const mosquitto_message* message) {
      const std::lock_guard lock(static_cast<Client*>(self)->mutex_);
      static_cast<Client*>(self)->received_.emplace_back(static_cast<const char*>(message->payload),
                                                         static_cast<std::size_t>(message->payloadlen));
    });
    Require(mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1));
    Require(mosquitto_connect(handle_, "127.0.0.1", port, 60));
    Require(mosquitto_loop_start(handle_));
  }
  ~Client() {
    mosquitto_disconnect(handle_);
    mosquitto_loop_stop(handle_, true);
    mosquitto_destroy(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Subscribe(const char* topic) {
    Require(mosquitto_subscribe(handle_, nullptr, topic, 1));
    if (!Eventually([&] { return Get(subscribed_); })) throw std::runtime_error("not subscribed");
  }
  void Publish(const char* topic, const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
      const int result =
          mosquitto_publish(handle_, nullptr, topic, static_cast<int>(payload.size()), payload.data(), 1, false);
      if (result != MOSQ_ERR_NO_CONN) Require(result);  // which has queued it all the same
    }
    to_publish_ += payloads.size();
    if (!Eventually([&] { return Get(published_) == to_publish_; })) throw std::runtime_error("not published");
  }
  std::vector<std::string> Received() { return Get(received_); }
  std::size_t ReceivedCount() {
    const std::lock_guard lock(mutex_);
    return received_.size();
  }

 private:
  static void Require(int result) {
    if (result != MOSQ_ERR_SUCCESS) throw std::runtime_error(mosquitto_strerror(result));
  }
  template <typename T>
  T Get(const T& value) {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mosquitto* const handle_;
  std::mutex mutex_;
  std::size_t published_ = 0;
  std::size_t to_publish_ = 0;
  bool subscribed_ = false;
  std::vector<std::string> received_;
};

class MqttService : public DataService {
 public:
  MqttService() { receiver_.Subscribe("written"); }

  std::string plugin() const override { return "mqtt"; }
  std::string IngressMetadata() const override { return Metadata("read"); }
  std::string EgressMetadata() const override { return Metadata("written"); }
  void Send(const std::vector<std::string>& payloads) override { sender_.Publish("read", payloads); }
  std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) override {
    (void)Eventually([&] { return receiver_.ReceivedCount() >= count; }, deadline);
    return receiver_.Received();
  }
  // What was received together is acknowledged together.
  std::size_t DoublesOfASwapMax() const override { return 1000; }
  void Stop() override { server_.Stop(); }
  void Start() override { server_.Start(); }

 private:
  std::string Metadata(const std::string& topic) const {
    return R"({"broker": ")" + server_.url() + R"(", "topic": ")" + topic + "\"}";
  }

  MosquittoServer server_;
  Client receiver_{server_.port(), "receiver"};
  Client sender_{server_.port(), "sender"};
};

}  // namespace

std::unique_ptr<DataService> MakeMqttService() {
  mosquitto_lib_init();
  return std::make_unique<MqttService>();
}

}  // namespace kps::test
