#include "mqtt_settings.h"

#include <mosquitto.h>

#include <charconv>
#include <string_view>

namespace kps::plugins {
namespace {

constexpr int kPort = 1883;
constexpr int kTlsPort = 8883;
constexpr uint64_t kWeek = 7 * 24 * 3600;

[[noreturn]] void bad_broker(const plugin::Params& params, const std::string& broker) {
  // What stands before an @ may be a password.
  const bool secret = broker.find('@') != broker.npos;
  params.fail("\"broker\" must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT]" +
              (secret ? std::string(", without credentials: use \"username\" and \"passwordFile\" or \"passwordEnv\"")
                      : ", but is \"" + broker + "\""));
}

// Returns whether the address asks for TLS.
bool read_address(const plugin::Params& params, const std::string& broker, MqttSettings* settings) {
  std::string_view rest = broker;
  const auto take = [&](std::string_view prefix) {
    if (rest.substr(0, prefix.size()) != prefix) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  const bool tls = take("mqtts://") || take("ssl://");
  if (!tls && !take("mqtt://") && !take("tcp://") && rest.find("://") != rest.npos) bad_broker(params, broker);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (rest.find_first_of("/@ ") != rest.npos) bad_broker(params, broker);

  std::string_view port;
  if (!rest.empty() && rest.front() == '[') {  // an IPv6 address
    const auto end = rest.find(']');
    if (end == rest.npos) bad_broker(params, broker);
    settings->host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
    if (!port.empty() && port.front() != ':') bad_broker(params, broker);
  } else {
    const auto colon = rest.find(':');
    settings->host = rest.substr(0, colon);
    if (colon != rest.npos) port = rest.substr(colon);
  }
  settings->port = tls ? kTlsPort : kPort;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), settings->port);
    if (error != std::errc() || end != port.data() + port.size()) bad_broker(params, broker);
  }
  if (settings->host.empty() || settings->port < 1 || settings->port > 65535) bad_broker(params, broker);
  return tls;
}

void read_broker(plugin::Params& params, const std::string& broker, MqttSettings* settings) {
  const bool implied = read_address(params, broker, settings);
  settings->v5 = params.choice_or("protocol", {"5", "3.1.1"}, "5") == "5";
  settings->credentials = read_credentials(params);
  settings->tls = read_tls(params, implied);
}

void check_filter(const plugin::Params& params, const char* key, const std::string& filter) {
  if (mosquitto_sub_topic_check(filter.c_str()) == MOSQ_ERR_SUCCESS) return;
  params.fail(std::string("\"") + key + "\" is no topic filter of MQTT: \"" + filter + "\"");
}

void read_common(plugin::Params& params, const plugin::Stream& stream, MqttSettings* settings) {
  settings->stream_id = stream.id;
  settings->wake_fd = stream.wake_fd;
  read_broker(params, params.required_string("broker"), settings);
  settings->client_id = params.string_or("clientId", "");
  settings->topic = params.required_string("topic");
  settings->qos = static_cast<int>(params.integer_or("qos", 1, 0, 2));
}

}  // namespace

std::string MqttSettings::address() const {
  const bool v6 = host.find(':') != host.npos;
  return (tls.on ? "mqtts://" : "mqtt://") + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

MqttSettings read_ingress_settings(const plugin::Stream& stream) {
  plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
  MqttSettings settings;
  read_common(params, stream, &settings);
  if (settings.client_id.empty()) settings.client_id = "kps-" + stream.id;
  settings.keepalive_s = static_cast<int>(params.integer_or("keepAliveS", 60, 5, 3600));
  settings.keep_session = params.bool_or("keepSession", true);
  settings.session_expiry_s = static_cast<uint32_t>(params.integer_or("sessionExpiryS", kWeek, 1, 0xFFFFFFFF));
  check_filter(params, "topic", settings.topic);
  params.refuse_unknown_keys();
  return settings;
}

std::optional<DiscoverySettings> read_discovery_settings(const std::string& static_json) {
  plugin::Params params(static_json, "static parameters");
  const std::string broker = params.string_or("broker", "");
  DiscoverySettings settings;
  settings.broker.topic = params.string_or("discover", "");
  settings.listen = std::chrono::seconds(params.integer_or("discoverS", 5, 1, 60));
  if (!broker.empty()) read_broker(params, broker, &settings.broker);
  params.refuse_unknown_keys();
  if (settings.broker.topic.empty()) return std::nullopt;
  if (broker.empty()) params.fail("\"discover\" needs a \"broker\"");
  check_filter(params, "discover", settings.broker.topic);
  settings.broker.qos = 0;
  settings.broker.keep_session = false;
  return settings;
}

MqttSettings read_egress_settings(const plugin::Stream& stream) {
  plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
  MqttSettings settings;
  read_common(params, stream, &settings);
  settings.keep_session = false;
  settings.retain = params.bool_or("retain", false);
  if (mosquitto_pub_topic_check(settings.topic.c_str()) != MOSQ_ERR_SUCCESS) {
    params.fail("\"topic\" must be a topic without wildcards (+, #) for EGRESS, but is \"" + settings.topic + "\"");
  }
  params.refuse_unknown_keys();
  return settings;
}

}  // namespace kps::plugins
