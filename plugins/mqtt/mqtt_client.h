// One connection to a broker, without a thread of its own: whoever calls reads and writes the socket.
#ifndef KPS_PLUGINS_MQTT_MQTT_CLIENT_H
#define KPS_PLUGINS_MQTT_MQTT_CLIENT_H

#include <chrono>
#include <cstdint>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>

#include "mqtt_settings.h"

struct mosquitto;
struct mosquitto_message;

namespace kps::plugins {

class MqttClient {
 public:
  using Clock = std::chrono::steady_clock;

  // What comes from the broker, while one of the functions below runs. None throws.
  class Events {
   public:
    virtual ~Events() = default;
    // A connection is about to be asked for: what comes from here on is of this one.
    virtual void on_connecting() {}
    virtual void on_message(const mosquitto_message& message) { static_cast<void>(message); }
    virtual void on_subscribed(int reason) { static_cast<void>(reason); }
    virtual void on_published(int mid, int reason) {
      static_cast<void>(mid);
      static_cast<void>(reason);
    }
  };

  // What is queued is written by write() alone: not before the caller wants it. Without a session to keep, nothing of a
  // connection is left for the next one: what was published and not named by on_published has to be published again.
  MqttClient(const MqttSettings& settings, Events* events) : settings_(settings), events_(events) {}
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  bool connected() const { return state_ == State::kConnected; }
  // Goes on with connecting until it is done, the deadline has come or the stream is woken. Returns connected().
  // Throws Failure when the broker cannot be reached or refuses; the next call begins anew.
  bool connect(Clock::time_point deadline);

  enum class Want { kRead, kReadAndWrite };
  // Waits until there is something to read or to write, and reads; writes when asked to. False: nothing came until the
  // deadline, or the stream is woken. Throws Failure when the connection is lost.
  bool step(Want want, Clock::time_point deadline);
  // Writes what is queued, as far as the socket takes it. Throws Failure when the connection is lost.
  void write();
  bool wants_write() const;

  void subscribe();
  // Returns a number that on_published will name. Throws Failure, about the message if INVALID_ARGUMENT.
  int publish(const void* data, std::size_t size);

 private:
  enum class State { kDisconnected, kConnecting, kConnected };
  struct Callbacks;

  struct Destroy {
    void operator()(mosquitto* handle) const;
  };

  void make_handle();
  bool has_decrypted() const;
  void begin(Clock::time_point deadline, bool* woken);
  void check(int mosq_error, const char* doing);
  [[noreturn]] void lost(int mosq_error, const char* doing);
  std::string at(const char* doing) const;

  const MqttSettings& settings_;
  Events* const events_;
  std::unique_ptr<mosquitto, Destroy> handle_;  // from the first connect on
  State state_ = State::kDisconnected;
  Clock::time_point give_up_{};  // of the attempt to connect
  std::optional<int> connack_;
  uint8_t retain_available_ = 1;  // as CONNACK says
  std::optional<int> disconnect_reason_;
};

}  // namespace kps::plugins

#endif
