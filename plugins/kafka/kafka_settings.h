// What a stream's metadata, or the static parameters, say of the cluster and how to talk to it.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_SETTINGS_H
#define KPS_PLUGINS_KAFKA_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>
#include <support/secret.h>
#include <support/tls.h>

#include <cstdint>
#include <kps/cpp/params.hpp>
#include <memory>
#include <string>
#include <vector>

namespace kps::plugins {

struct Cluster {
  std::string brokers;
  std::string mechanism;  // of SASL; empty: no login
  Credentials credentials;
  Tls tls;
};

struct ConsumeSettings {
  Cluster cluster;
  std::string topic;
  std::string group;                // empty: partitions are given
  std::vector<int32_t> partitions;  // without a group; sorted, each once
  bool from_end = false;
  uint64_t session_timeout_ms = 0;
};

struct ProduceSettings {
  Cluster cluster;
  std::string topic;
  std::string key;  // empty: none
  std::string compression;
  uint64_t message_bytes_max = 0;
};

// The partitions of a position have to fit into it, whatever their offsets.
inline constexpr size_t kPartitionsMax = 120;

Cluster read_cluster(plugin::Params& params);
ConsumeSettings read_consume_settings(plugin::Params& params);
ProduceSettings read_produce_settings(plugin::Params& params);

// A configuration of librdkafka that knows the cluster.
class Conf {
 public:
  explicit Conf(const Cluster& cluster);
  void set(const char* name, const std::string& value);
  rd_kafka_conf_t* get() const { return conf_.get(); }
  void release() { (void)conf_.release(); }

 private:
  struct Destroy {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  };
  std::unique_ptr<rd_kafka_conf_t, Destroy> conf_{rd_kafka_conf_new()};
};

}  // namespace kps::plugins

#endif
