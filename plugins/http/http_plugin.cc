// The connector of the http plugin: makes webhooks, polls and producers of the metadata.
#include <kps/plugin.hpp>
#include <memory>

#include "http_client.h"
#include "http_producer.h"
#include "http_settings.h"
#include "poll_consumer.h"
#include "webhook_consumer.h"

namespace kps::plugins {
namespace {

constexpr char kStreamSchema[] =
    R"json({
  "type": "object",
  "properties": {
    "listen": {"type": "string", "minLength": 1, "examples": ["127.0.0.1:8080", "[::1]:8080"],
               "description": "INGRESS, webhook: the numeric address and the port to listen at; port 0: one that is free"},
    "path": {"type": "string", "minLength": 1, "default": "/", "examples": ["/orders"],
             "description": "INGRESS, webhook: the path that takes messages"},
    "method": {"enum": ["POST", "PUT", "any"],
               "description": "EGRESS: how messages are sent, by default POST; webhook: what is taken, by default any"},
    "tokenFile": {"type": "string", "minLength": 1,
                  "description": "The file that holds the bearer token: to send, or (webhook) to ask for"},
    "tokenEnv": {"type": "string", "minLength": 1, "description": "The environment variable that holds the bearer token"},
    "certEnv": {"type": "string", "minLength": 1,
                "description": "INGRESS, webhook: the environment variable that holds the certificate, PEM"},
    "keyEnv": {"type": "string", "minLength": 1,
               "description": "INGRESS, webhook: the environment variable that holds its key, PEM"},
    "bodyBytesMax": {"type": "integer", "minimum": 0, "maximum": 67108864, "default": 1000000,
                     "description": "INGRESS: the most bytes of a message"},
    "waitingMax": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1000,
                   "description": "INGRESS, webhook: how many requests wait for their answer at a time; more get 503"},
    "answerTimeoutMs": {"type": "integer", "minimum": 1, "maximum": 3600000, "default": 30000,
                        "description": "INGRESS, webhook: a message that is not safe by then is answered 503"},
    "url": {"type": "string", "minLength": 1, "examples": ["https://example.org/orders"],
            "description": "EGRESS: where to send; INGRESS, polling: what to read. Without a user, a password or a token"},
    "intervalMs": {"type": "integer", "minimum": 1, "maximum": 86400000, "default": 10000,
                   "description": "INGRESS, polling: the pause between two requests"},
    "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 3600000, "default": 10000,
                  "description": "The time of a request, connecting included"},
    "headers": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1},
                "examples": [{"X-Source": "kps"}], "description": "Further headers of each request; none with a secret"},
    "contentType": {"type": "string", "minLength": 1, "examples": ["application/json"],
                    "description": "EGRESS: by default application/octet-stream, or what batch says"},
    "batch": {"enum": ["none", "lines", "array"], "default": "none",
              "description": "EGRESS: a request a message, or several as JSON lines or as a JSON array"},
    "batchMessagesMax": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100,
                         "description": "EGRESS, batch lines and array: the most messages of a request"},
)json" KPS_CREDENTIALS_SCHEMA ",\n" KPS_TLS_SCHEMA R"json(
  },
  "oneOf": [{"required": ["listen"]}, {"required": ["url"]}],
  "additionalProperties": false
})json";

class HttpConnector : public plugin::Connector {
 public:
  HttpConnector(const plugin::Host& host, const std::string& static_json, const std::string& config_json)
      : Connector(host, static_json, config_json) {
    plugin::Params(static_json, "static parameters").refuse_unknown_keys();
    prepare_curl();
  }

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream,
                                                    const std::string& position) override {
    if (is_webhook(stream)) return std::make_unique<WebhookConsumer>(host(), stream, read_webhook_settings(stream));
    return std::make_unique<PollConsumer>(stream, read_poll_settings(stream), position);
  }

  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    return std::make_unique<HttpProducer>(read_produce_settings(stream), stream.wake_fd);
  }
};

constexpr auto kDescriptor =
    plugin::Descriptor("http", "0.1.0", "Takes webhooks, polls a URL, and sends messages to one.",
                       KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .flags(KPS_FLAG_OVERLAP_SAFE)
        .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::HttpConnector, kps::plugins::kDescriptor);
