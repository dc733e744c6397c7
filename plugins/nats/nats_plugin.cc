// The connector of the nats plugin: one connection to a broker for each stream.
#include <support/discovered.h>

#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>

#include "core_consumer.h"
#include "core_producer.h"
#include "jetstream_consumer.h"
#include "jetstream_producer.h"
#include "nats_discovery.h"
#include "nats_settings.h"

namespace kps::plugins {
namespace {

// clang-format off: a literal a line, as a raw one keeps the backslash at its end
#define KPS_NATS_BROKER_SCHEMA                                                                                                                 \
  R"json("broker": {"type": "string", "minLength": 1, "examples": ["nats://localhost:4222", "tls://a:4222,tls://b:4222"],)json"                \
  R"json( "description": "The server: nats://HOST[:PORT], or tls:// for TLS; several of a cluster, with commas"},)json" KPS_CREDENTIALS_SCHEMA \
  ","                                                                                                                                          \
  R"json("tokenFile": {"type": "string", "minLength": 1, "description": "The file that holds the token to log in with"},)json"                 \
  R"json("tokenEnv": {"type": "string", "minLength": 1, "description": "The environment variable that holds the token"},)json"                 \
  R"json("credentialsFile": {"type": "string", "minLength": 1, "description": "The file (.creds) that holds a user's JWT and seed"},)json"     \
  R"json("nkey": {"type": "string", "minLength": 1, "description": "The public NKey to log in with (U...)"},)json"                             \
  R"json("nkeySeedFile": {"type": "string", "minLength": 1, "description": "The file that holds the seed of nkey"},)json" KPS_TLS_SCHEMA
// clang-format on

constexpr char kStaticSchema[] = R"json({
  "type": "object",
  "properties": {
    )json" KPS_NATS_BROKER_SCHEMA R"json(
  },
  "additionalProperties": false
})json";

constexpr char kStreamSchema[] = R"json({
  "type": "object",
  "properties": {
    )json" KPS_NATS_BROKER_SCHEMA R"json(,
    "subject": {"type": "string", "minLength": 1, "examples": ["plant.temperature"],
                "description": "INGRESS: the subject to subscribe to, wildcards (*, >) included. EGRESS: the subject to publish to"},
    "queueGroup": {"type": "string", "minLength": 1,
                   "description": "INGRESS, without JetStream: each message goes to one subscriber of the group"},
    "pendingMessagesMax": {"type": "integer", "minimum": 1, "maximum": 10000000, "default": 65536,
                           "description": "INGRESS, without JetStream: how many messages may wait for the stream; more are dropped"},
    "pendingBytesMax": {"type": "integer", "minimum": 1024, "maximum": 1073741824, "default": 67108864,
                        "description": "INGRESS, without JetStream: how many bytes may wait for the stream; more are dropped"},
    "jetstream": {"type": "boolean",
                  "description": "INGRESS: read what a JetStream stream keeps, and acknowledge it. EGRESS: delivered means that a stream has it. By default, whether stream or durable is given"},
    "stream": {"type": "string", "minLength": 1,
               "description": "INGRESS, JetStream: the stream to read; by default, the one that holds the subject"},
    "durable": {"type": "string", "minLength": 1,
                "description": "INGRESS, JetStream: the durable consumer, made if it is not there; by default, kps-, the stream's id, - and the subject"},
    "from": {"enum": ["all", "new"], "default": "all",
             "description": "INGRESS, JetStream: where a consumer begins that is made"}
  },
  "required": ["broker", "subject"],
  "additionalProperties": false
})json";

class NatsConnector : public plugin::Connector {
 public:
  NatsConnector(const plugin::Host& host, const std::string& static_json, const std::string& config_json)
      : Connector(host, static_json, config_json) {
    (void)read_static();
  }

  void discover(const plugin::DiscoverSink& sink, std::chrono::milliseconds timeout) override {
    // Read anew: a password that was replaced is used.
    const std::optional<NatsBroker> broker = read_static();
    if (!broker) return;
    for (const DiscoveredSubject& found : discover_subjects(*broker, timeout)) {
      sink.found(discovered_stream(found.stream + "/" + found.subject,
                                   {{"broker", broker->shown}, {"subject", found.subject}, {"stream", found.stream}}));
    }
  }

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream, const std::string&) override {
    NatsIngressSettings settings = read_ingress_settings(stream);
    if (settings.jetstream) return std::make_unique<JetStreamConsumer>(stream, std::move(settings));
    return std::make_unique<CoreConsumer>(host(), stream, std::move(settings));
  }

  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    NatsEgressSettings settings = read_egress_settings(stream);
    if (settings.jetstream) return std::make_unique<JetStreamProducer>(stream, std::move(settings));
    return std::make_unique<CoreProducer>(stream, std::move(settings));
  }

 private:
  // Nothing where no broker is given: nothing is discovered then.
  std::optional<NatsBroker> read_static() const {
    plugin::Params params(static_json(), "static parameters");
    if (static_json().empty() || static_json() == "{}") return std::nullopt;
    NatsBroker broker = read_broker(params);
    params.refuse_unknown_keys();
    return broker;
  }
};

constexpr auto kDescriptor =
    plugin::Descriptor("nats", "0.1.0", "Reads and writes subjects of NATS, and streams of JetStream.",
                       KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .static_schema(kStaticSchema)
        .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::NatsConnector, kps::plugins::kDescriptor);
