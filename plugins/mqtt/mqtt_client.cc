#include "mqtt_client.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "mqtt_connect.h"
#include "mqtt_errors.h"

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;

// For one attempt to connect, until the broker has answered.
constexpr milliseconds kConnectMax{5000};
constexpr int kPacketsPerRead = 100;
// The most that the broker may have sent without an acknowledgement; it may allow less.
constexpr int kReceiveMax = 1000;
// What MQTT 5 calls errors begins here.
constexpr int kFirstErrorReason = 0x80;

milliseconds left_until(MqttClient::Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - MqttClient::Clock::now());
  return std::max(left, milliseconds(0));
}

// libmosquitto counts its users without a lock. The loader has one, under which it makes and ends what is static: two
// versions of this plugin may come and go at a time.
struct Library {
  Library() { static_cast<void>(mosquitto_lib_init()); }
  ~Library() { static_cast<void>(mosquitto_lib_cleanup()); }
};
const Library library;

}  // namespace

struct MqttClient::Callbacks {
  static MqttClient* self(void* user) { return static_cast<MqttClient*>(user); }
  static void connected(mosquitto*, void* user, int reason, int, const mosquitto_property* properties) {
    self(user)->connack_ = reason;
    self(user)->retain_available_ = 1;
    mosquitto_property_read_byte(properties, MQTT_PROP_RETAIN_AVAILABLE, &self(user)->retain_available_, false);
  }
  static void disconnected(mosquitto*, void* user, int reason, const mosquitto_property*) {
    if (reason >= kFirstErrorReason) self(user)->disconnect_reason_ = reason;
  }
  static void message(mosquitto*, void* user, const mosquitto_message* message) {
    self(user)->events_->on_message(*message);
  }
  static void subscribed(mosquitto*, void* user, int, int count, const int* granted) {
    self(user)->events_->on_subscribed(count > 0 ? granted[0] : kFirstErrorReason);
  }
  static void published(mosquitto*, void* user, int mid, int reason, const mosquitto_property*) {
    self(user)->events_->on_published(mid, reason);
  }
};

void MqttClient::Destroy::operator()(mosquitto* handle) const { mosquitto_destroy(handle); }

void MqttClient::make_handle() {
  // mosquitto_new also makes the process ignore SIGPIPE, which is the host's to decide.
  struct sigaction former = {};
  (void)::sigaction(SIGPIPE, nullptr, &former);
  handle_.reset(mosquitto_new(settings_.client_id.empty() ? nullptr : settings_.client_id.c_str(),
                              !settings_.keep_session, this));
  const int number = errno;
  (void)::sigaction(SIGPIPE, &former, nullptr);
  if (!handle_) throw plugin::errno_failure(number, "create the client of " + settings_.address());
  mosquitto* const handle = handle_.get();
  const auto set = [&](int result, const char* what) {
    if (result == MOSQ_ERR_SUCCESS) return;
    const plugin::Failure failure = library_failure(result, at(what));
    handle_.reset();
    throw failure;
  };
  set(mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, settings_.v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311),
      "set the version of MQTT");
  set(mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMax), "set the receive maximum");
  // Small packets that wait for each other's acknowledgement would wait 40 ms.
  set(mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1), "send at once");
  // Packets are queued only, as if another thread wrote them: so an acknowledgement waits for write().
  set(mosquitto_threaded_set(handle, true), "queue packets");
  if (!settings_.credentials.username.empty()) {
    set(mosquitto_username_pw_set(
            handle, settings_.credentials.username.c_str(),
            settings_.credentials.password.empty() ? nullptr : settings_.credentials.password.c_str()),
        "set username and password");
  }
  if (const Tls& tls = settings_.tls; tls.on) {
    const auto text = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
    if (tls.ca_file.empty())
      set(mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1), "use the system's certificates");
    set(mosquitto_tls_set(handle, text(tls.ca_file), tls.ca_file.empty() ? "/etc/ssl/certs" : nullptr,
                          text(tls.cert_file), text(tls.key_file), nullptr),
        "set up TLS");
    if (!tls.verify) {
      set(mosquitto_tls_insecure_set(handle, true), "set up TLS");
      set(mosquitto_tls_opts_set(handle, 0, nullptr, nullptr), "set up TLS");
    }
  }
  mosquitto_connect_v5_callback_set(handle, Callbacks::connected);
  mosquitto_disconnect_v5_callback_set(handle, Callbacks::disconnected);
  mosquitto_message_callback_set(handle, Callbacks::message);
  mosquitto_subscribe_callback_set(handle, Callbacks::subscribed);
  mosquitto_publish_v5_callback_set(handle, Callbacks::published);
}

MqttClient::~MqttClient() {
  if (!connected()) return;
  const int socket = ::fcntl(mosquitto_socket(handle_.get()), F_DUPFD_CLOEXEC, 0);
  // A DISCONNECT goes out only where nothing waits before it that must not.
  if (!wants_write() && mosquitto_disconnect(handle_.get()) == MOSQ_ERR_SUCCESS) {
    static_cast<void>(mosquitto_loop_write(handle_.get(), 1));
  }
  handle_.reset();
  if (socket >= 0) end_connection(socket);
}

std::string MqttClient::at(const char* doing) const { return std::string(doing) + " at " + settings_.address(); }

void MqttClient::begin(Clock::time_point deadline, bool* woken) {
  // libmosquitto goes on with what the former connection has begun, of which a broker without the session knows
  // nothing: it answers the second half of an exchange of QoS 2 as if it had the first.
  if (!handle_ || !settings_.keep_session) make_handle();
  const std::string wrong = probe_tcp(settings_.host, settings_.port, settings_.wake_fd, left_until(deadline), woken);
  if (*woken) return;
  if (!wrong.empty()) throw plugin::Failure(KPS_UNAVAILABLE, at("connect to the broker") + ": " + wrong);
  mosquitto_property* properties = nullptr;
  if (settings_.v5 && settings_.keep_session) {
    check(mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, settings_.session_expiry_s),
          "set the session's expiry");
  }
  connack_.reset();
  disconnect_reason_.reset();
  events_->on_connecting();
  const int result = mosquitto_connect_bind_v5(handle_.get(), settings_.host.c_str(), settings_.port,
                                               settings_.keepalive_s, nullptr, properties);
  mosquitto_property_free_all(&properties);
  check(result, "connect to the broker");
  state_ = State::kConnecting;
  give_up_ = Clock::now() + kConnectMax;
}

bool MqttClient::connect(Clock::time_point deadline) {
  if (state_ == State::kDisconnected) {
    bool woken = false;
    begin(deadline, &woken);
    if (woken) return false;
  }
  while (state_ == State::kConnecting) {
    if (!step(Want::kReadAndWrite, std::min(deadline, give_up_))) {
      if (Clock::now() >= give_up_) lost(MOSQ_ERR_KEEPALIVE, "connect to the broker");
      return false;
    }
    if (!connack_) continue;
    if (*connack_ != 0) {
      state_ = State::kDisconnected;
      throw connack_failure(*connack_, settings_.v5, at("log in"));
    }
    if (settings_.retain && retain_available_ == 0) {  // libmosquitto would publish without it
      state_ = State::kDisconnected;
      throw library_failure(MOSQ_ERR_RETAIN_NOT_SUPPORTED, at("publish"));
    }
    state_ = State::kConnected;
  }
  return true;
}

bool MqttClient::step(Want want, Clock::time_point deadline) {
  check(mosquitto_loop_misc(handle_.get()), "talk to the broker");
  const bool write_now = want == Want::kReadAndWrite && wants_write();
  const short events = static_cast<short>(write_now ? POLLIN | POLLOUT : POLLIN);
  const bool decrypted = has_decrypted();
  const auto result = plugin::wait_for(mosquitto_socket(handle_.get()), events, settings_.wake_fd,
                                       decrypted ? milliseconds(0) : left_until(deadline));
  if (write_now) write();
  if (result == plugin::Wait::kWoken || (result == plugin::Wait::kTimeout && !decrypted)) return false;
  check(mosquitto_loop_read(handle_.get(), kPacketsPerRead), "read from the broker");
  if (mosquitto_socket(handle_.get()) < 0)
    lost(MOSQ_ERR_CONN_LOST, "read from the broker");  // a DISCONNECT is no error
  return true;
}

// What TLS has read from the socket already, and libmosquitto has left there, shows in no poll.
bool MqttClient::has_decrypted() const {
  const auto* ssl = static_cast<const SSL*>(mosquitto_ssl_get(handle_.get()));
  return ssl != nullptr && SSL_pending(ssl) > 0;
}

void MqttClient::write() {
  if (wants_write()) check(mosquitto_loop_write(handle_.get(), 1), "write to the broker");
}

bool MqttClient::wants_write() const { return mosquitto_want_write(handle_.get()); }

void MqttClient::subscribe() {
  // What is retained comes with a new subscription, not with each connection (MQTT 5).
  check(mosquitto_subscribe_v5(handle_.get(), nullptr, settings_.topic.c_str(), settings_.qos,
                               settings_.v5 ? MQTT_SUB_OPT_SEND_RETAIN_NEW : 0, nullptr),
        "subscribe");
}

int MqttClient::publish(const void* data, std::size_t size) {
  int mid = 0;
  if (size > MQTT_MAX_PAYLOAD) throw library_failure(MOSQ_ERR_PAYLOAD_SIZE, at("publish"));
  const int result = mosquitto_publish_v5(handle_.get(), &mid, settings_.topic.c_str(), static_cast<int>(size), data,
                                          settings_.qos, settings_.retain, nullptr);
  if (result == MOSQ_ERR_PAYLOAD_SIZE || result == MOSQ_ERR_OVERSIZE_PACKET)
    throw library_failure(result, at("publish"));
  check(result, "publish");
  return mid;
}

void MqttClient::check(int mosq_error, const char* doing) {
  if (mosq_error != MOSQ_ERR_SUCCESS) lost(mosq_error, doing);
}

void MqttClient::lost(int mosq_error, const char* doing) {
  const State former = state_;
  state_ = State::kDisconnected;
  const int saved = errno;
  if (disconnect_reason_) throw reason_failure(*disconnect_reason_, at(doing));
  if (former == State::kConnecting && connack_ && *connack_ != 0) {
    throw connack_failure(*connack_, settings_.v5, at("log in"));
  }
  errno = saved;
  throw library_failure(mosq_error, at(doing));
}

}  // namespace kps::plugins
