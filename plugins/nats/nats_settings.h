// What a stream's metadata, or the static parameters, say of the broker and of what to do there.
#ifndef KPS_PLUGINS_NATS_NATS_SETTINGS_H
#define KPS_PLUGINS_NATS_NATS_SETTINGS_H

#include <support/secret.h>
#include <support/tls.h>

#include <cstdint>
#include <kps/plugin.hpp>
#include <string>
#include <vector>

namespace kps::plugins {

struct NatsBroker {
  struct Server {
    std::string host;
    int port = 0;
  };
  std::vector<Server> servers;
  std::string shown;  // the parameter itself, which holds no secret: for sentences and for discovered streams
  Credentials credentials;
  std::string token;
  std::string credentials_file;
  std::string nkey;  // public; with it goes its seed
  std::string nkey_seed_file;
  Tls tls;
};

struct NatsIngressSettings {
  NatsBroker broker;
  std::string subject;
  std::string queue_group;  // core; empty: none
  uint64_t pending_messages_max = 0;
  uint64_t pending_bytes_max = 0;

  bool jetstream = false;
  std::string stream;   // empty: the one that holds the subject
  std::string durable;  // JetStream
  bool from_new = false;
};

struct NatsEgressSettings {
  NatsBroker broker;
  std::string subject;
  bool jetstream = false;
};

// Throw Failure, INVALID_ARGUMENT: the parameters are not what the schema says.
NatsBroker read_broker(plugin::Params& params);
NatsIngressSettings read_ingress_settings(const plugin::Stream& stream);
NatsEgressSettings read_egress_settings(const plugin::Stream& stream);

// Any text as a name that JetStream takes for a consumer: letters, digits, '-' and '_' stay, '.' becomes '=', and any
// other byte '~' and two hexadecimal digits.
std::string jetstream_name(const std::string& text);

bool has_wildcard(const std::string& subject);

}  // namespace kps::plugins

#endif
