// The connector of the Kafka plugin: reads the metadata, makes consumers and producers.
#include <support/discovered.h>

#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>

#include "kafka_consumer.h"
#include "kafka_discovery.h"
#include "kafka_producer.h"
#include "kafka_settings.h"

namespace kps::plugins {
namespace {

// clang-format off: a literal a line, as a raw one keeps the backslash at its end
#define KPS_KAFKA_CLUSTER_SCHEMA                                                                                  \
  R"json("brokers": {"type": "string", "minLength": 1, "examples": ["kafka-1:9092,kafka-2:9092"],)json"           \
  R"json( "description": "Servers to begin with, HOST:PORT, with commas; the others are learnt from them"},)json" \
  R"json("mechanism": {"enum": ["none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], "default": "none",)json"      \
  R"json( "description": "How to log in, by SASL"},)json" KPS_CREDENTIALS_SCHEMA "," KPS_TLS_SCHEMA
// clang-format on

constexpr char kStaticSchema[] = R"json({
  "type": "object",
  "properties": {
    )json" KPS_KAFKA_CLUSTER_SCHEMA R"json(
  },
  "additionalProperties": false
})json";

constexpr char kStreamSchema[] = R"json({
  "type": "object",
  "properties": {
    )json" KPS_KAFKA_CLUSTER_SCHEMA R"json(,
    "topic": {"type": "string", "pattern": "^[a-zA-Z0-9._-]{1,249}$", "examples": ["orders"],
              "description": "The topic to read (INGRESS) or to write to (EGRESS)"},
    "group": {"type": "string", "minLength": 1, "examples": ["kps-orders"],
              "description": "INGRESS: the consumer group to be a member of; it shares the partitions out"},
    "partitions": {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$", "examples": ["0", "0,2,5-7"],
                   "description": "INGRESS, instead of a group: the partitions to read, at most 120"},
    "from": {"enum": ["start", "end"], "default": "start",
             "description": "INGRESS: where a partition is begun that has no offset yet, in the position or the group"},
    "sessionTimeoutMs": {"type": "integer", "minimum": 1000, "maximum": 3600000, "default": 45000,
                         "description": "INGRESS, with a group: a member that is silent for so long has lost its partitions"},
    "key": {"type": "string", "minLength": 1,
            "description": "EGRESS: the key of every message; all go to one partition then, in order"},
    "compression": {"enum": ["none", "gzip", "snappy", "lz4", "zstd"], "default": "none",
                    "description": "EGRESS: how batches are compressed"},
    "messageBytesMax": {"type": "integer", "minimum": 1000, "maximum": 67108864, "default": 1000000,
                        "description": "EGRESS: a larger message is refused; at most the topic's max.message.bytes"}
  },
  "required": ["brokers", "topic"],
  "additionalProperties": false
})json";

class KafkaConnector : public plugin::Connector {
 public:
  KafkaConnector(const plugin::Host& host, const std::string& static_json, const std::string& config_json)
      : Connector(host, static_json, config_json) {
    (void)read_static();
  }

  void discover(const plugin::DiscoverSink& sink, std::chrono::milliseconds timeout) override {
    // Read anew: a password that was replaced is used.
    const std::optional<Cluster> cluster = read_static();
    if (!cluster) return;
    for (const std::string& topic : discover_topics(*cluster, timeout)) {
      sink.found(discovered_stream(topic, {{"brokers", cluster->brokers}, {"topic", topic}}));
    }
  }

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream,
                                                    const std::string& position) override {
    plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    return std::make_unique<KafkaConsumer>(host(), stream, read_consume_settings(params), position);
  }

  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    return std::make_unique<KafkaProducer>(host(), stream, read_produce_settings(params));
  }

 private:
  // Nothing where no cluster is given: nothing is discovered then.
  std::optional<Cluster> read_static() const {
    plugin::Params params(static_json(), "static parameters");
    if (static_json().empty() || static_json() == "{}") return std::nullopt;
    Cluster cluster = read_cluster(params);
    params.refuse_unknown_keys();
    return cluster;
  }
};

constexpr auto kDescriptor = plugin::Descriptor("kafka", "0.1.0", "Reads and writes topics of Apache Kafka.",
                                                KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
                                 .static_schema(kStaticSchema)
                                 .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::KafkaConnector, kps::plugins::kDescriptor);
