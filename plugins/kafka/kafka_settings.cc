#include "kafka_settings.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

namespace kps::plugins {
namespace {

constexpr uint64_t kMessageBytesDefault = 1000000;
constexpr uint64_t kMessageBytesMax = 64u << 20;
constexpr size_t kTopicBytesMax = 249;  // Kafka's own limit

bool is_topic_name(const std::string& name) {
  return name.size() <= kTopicBytesMax && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

std::string read_topic(plugin::Params& params) {
  std::string topic = params.required_string("topic");
  if (!is_topic_name(topic)) {
    params.fail("\"topic\" must be the name of one topic: letters, digits, '.', '_' and '-', at most 249 of them");
  }
  return topic;
}

bool read_number(std::string_view text, int32_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number >= 0;
}

std::vector<int32_t> read_partitions(const plugin::Params& params, const std::string& text) {
  std::set<int32_t> partitions;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const size_t dash = item.find('-');
    int32_t first = 0;
    int32_t last = 0;
    const bool good = read_number(item.substr(0, dash), &first) &&
                      read_number(dash == std::string_view::npos ? item : item.substr(dash + 1), &last) &&
                      first <= last && (comma == std::string_view::npos || comma + 1 < rest.size());
    if (!good) params.fail("\"partitions\" must be numbers and ranges such as \"0,2,5-7\", but is \"" + text + "\"");
    if (static_cast<uint32_t>(last - first) >= kPartitionsMax || partitions.size() > kPartitionsMax) {
      params.fail("\"partitions\" may name at most " + std::to_string(kPartitionsMax) +
                  " partitions: use more streams");
    }
    for (int32_t number = first; number < last; ++number) partitions.insert(number);
    partitions.insert(last);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (partitions.size() > kPartitionsMax) {
    params.fail("\"partitions\" may name at most " + std::to_string(kPartitionsMax) + " partitions: use more streams");
  }
  return {partitions.begin(), partitions.end()};
}

}  // namespace

Cluster read_cluster(plugin::Params& params) {
  Cluster cluster;
  cluster.brokers = params.required_string("brokers");
  cluster.mechanism = params.choice_or("mechanism", {"none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, "none");
  if (cluster.mechanism == "none") cluster.mechanism.clear();
  cluster.credentials = read_credentials(params);
  const bool complete = !cluster.credentials.username.empty() && !cluster.credentials.password.empty();
  if (!cluster.mechanism.empty() && !complete) {
    params.fail("\"mechanism\" needs \"username\" and \"passwordFile\" or \"passwordEnv\"");
  }
  if (cluster.mechanism.empty() && !cluster.credentials.username.empty()) {
    params.fail("a \"username\" needs a \"mechanism\": PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  }
  cluster.tls = read_tls(params, false);
  return cluster;
}

ConsumeSettings read_consume_settings(plugin::Params& params) {
  ConsumeSettings settings;
  settings.cluster = read_cluster(params);
  settings.topic = read_topic(params);
  settings.group = params.string_or("group", "");
  const std::string partitions = params.string_or("partitions", "");
  settings.from_end = params.choice_or("from", {"start", "end"}, "start") == "end";
  settings.session_timeout_ms = params.integer_or("sessionTimeoutMs", 45000, 1000, 3600000);
  params.refuse_unknown_keys();
  if (settings.group.empty() == partitions.empty()) params.fail("give \"group\" or \"partitions\", one of them");
  settings.partitions = read_partitions(params, partitions);
  return settings;
}

ProduceSettings read_produce_settings(plugin::Params& params) {
  ProduceSettings settings;
  settings.cluster = read_cluster(params);
  settings.topic = read_topic(params);
  settings.key = params.string_or("key", "");
  settings.compression = params.choice_or("compression", {"none", "gzip", "snappy", "lz4", "zstd"}, "none");
  settings.message_bytes_max = params.integer_or("messageBytesMax", kMessageBytesDefault, 1000, kMessageBytesMax);
  params.refuse_unknown_keys();
  return settings;
}

Conf::Conf(const Cluster& cluster) {
  set("bootstrap.servers", cluster.brokers);
  set("client.id", "kps-connector");
  const bool sasl = !cluster.mechanism.empty();
  set("security.protocol", sasl             ? (cluster.tls.on ? "sasl_ssl" : "sasl_plaintext")
                           : cluster.tls.on ? "ssl"
                                            : "plaintext");
  if (sasl) {
    set("sasl.mechanisms", cluster.mechanism);
    set("sasl.username", cluster.credentials.username);
    set("sasl.password", cluster.credentials.password);
  }
  if (cluster.tls.on) {
    if (!cluster.tls.ca_file.empty()) set("ssl.ca.location", cluster.tls.ca_file);
    if (!cluster.tls.cert_file.empty()) set("ssl.certificate.location", cluster.tls.cert_file);
    if (!cluster.tls.key_file.empty()) set("ssl.key.location", cluster.tls.key_file);
    set("enable.ssl.certificate.verification", cluster.tls.verify ? "true" : "false");
    set("ssl.endpoint.identification.algorithm", cluster.tls.verify ? "https" : "none");
  }
  // A server that is back is found soon.
  set("reconnect.backoff.ms", "50");
  set("reconnect.backoff.max.ms", "1000");
}

void Conf::set(const char* name, const std::string& value) {
  char reason[512];
  if (rd_kafka_conf_set(conf_.get(), name, value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK) {
    // Not the library's reason: it may quote the value, which may be a password.
    throw plugin::Failure(KPS_INVALID_ARGUMENT,
                          std::string("librdkafka does not take what is given for its \"") + name + "\"");
  }
}

}  // namespace kps::plugins
