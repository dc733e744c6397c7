// What the metadata of a stream say, read and judged.
#ifndef KPS_PLUGINS_HTTP_HTTP_SETTINGS_H
#define KPS_PLUGINS_HTTP_HTTP_SETTINGS_H

#include <support/secret.h>
#include <support/tls.h>

#include <chrono>
#include <cstdint>
#include <kps/plugin.hpp>
#include <string>
#include <vector>

namespace kps::plugins {

constexpr uint64_t kBodyBytesMax = 64u << 20;
// With its envelope it fits into what a NATS server takes by default, 1 MiB.
constexpr uint64_t kBodyBytesDefault = 1000000;

// How a server is asked: by the producer, and by the consumer that polls.
struct ClientSettings {
  std::string url;
  std::string shown_url;                     // without its query, which may hold a key: for texts
  std::chrono::milliseconds timeout{10000};  // of a request, connecting included
  std::vector<std::string> headers;          // "Name: value"
  Credentials credentials;
  std::string token;  // empty: none
  Tls tls;
};

struct PollSettings {
  ClientSettings client;
  std::chrono::milliseconds interval{10000};
  uint64_t body_bytes_max = kBodyBytesDefault;
};

enum class Framing { kNone, kLines, kArray };

struct ProduceSettings {
  ClientSettings client;
  std::string method = "POST";
  std::string content_type;
  Framing framing = Framing::kNone;
  size_t batch_messages_max = 100;
};

struct WebhookSettings {
  std::string listen;
  std::string path = "/";
  bool post = true;
  bool put = true;
  std::string token;        // empty: anybody may send
  std::string certificate;  // PEM; empty: no TLS
  std::string key;
  uint64_t body_bytes_max = kBodyBytesDefault;
  size_t waiting_max = 1000;
  std::chrono::milliseconds answer_timeout{30000};
};

// Whether the stream listens, or else polls. Throws when it is not said, or both are.
bool is_webhook(const plugin::Stream& stream);

// They throw Failure, mostly INVALID_ARGUMENT with the key in its text.
WebhookSettings read_webhook_settings(const plugin::Stream& stream);
PollSettings read_poll_settings(const plugin::Stream& stream);
ProduceSettings read_produce_settings(const plugin::Stream& stream);

}  // namespace kps::plugins

#endif
