#include "nats_settings.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace kps::plugins {
namespace {

constexpr int kPort = 4222;
constexpr uint64_t kPendingMessages = 65536;
constexpr uint64_t kPendingBytes = 64u << 20;
constexpr uint64_t kPendingBytesLargest = 1u << 30;

[[noreturn]] void bad_broker(const plugin::Params& params, const std::string& broker) {
  // What stands before an @ may be a password.
  const bool secret = broker.find('@') != broker.npos;
  params.fail("\"broker\" must be nats://HOST[:PORT] or tls://HOST[:PORT], several with commas" +
              (secret ? std::string(", without credentials: use \"username\", \"passwordFile\" or others")
                      : ", but is \"" + broker + "\""));
}

NatsBroker::Server read_server(const plugin::Params& params, std::string_view rest, const std::string& broker) {
  NatsBroker::Server server;
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (rest.find_first_of("/@ ") != rest.npos) bad_broker(params, broker);
  std::string_view port;
  if (!rest.empty() && rest.front() == '[') {  // an IPv6 address
    const auto end = rest.find(']');
    if (end == rest.npos) bad_broker(params, broker);
    server.host = rest.substr(0, end + 1);
    port = rest.substr(end + 1);
    if (!port.empty() && port.front() != ':') bad_broker(params, broker);
  } else {
    const auto colon = rest.find(':');
    server.host = rest.substr(0, colon);
    if (colon != rest.npos) port = rest.substr(colon);
  }
  server.port = kPort;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (error != std::errc() || end != port.data() + port.size()) bad_broker(params, broker);
  }
  if (server.host.empty() || server.port < 1 || server.port > 65535) bad_broker(params, broker);
  return server;
}

// Returns whether the addresses ask for TLS.
bool read_addresses(const plugin::Params& params, NatsBroker* broker) {
  size_t encrypted = 0;
  for (size_t start = 0; start <= broker->shown.size();) {
    const size_t end = std::min(broker->shown.find(',', start), broker->shown.size());
    std::string_view url = std::string_view(broker->shown).substr(start, end - start);
    start = end + 1;
    const auto take = [&url](std::string_view scheme) {
      if (!url.starts_with(scheme)) return false;
      url.remove_prefix(scheme.size());
      return true;
    };
    if (take("tls://")) {
      ++encrypted;
    } else if (!take("nats://") && url.find("://") != url.npos) {
      bad_broker(params, broker->shown);
    }
    broker->servers.push_back(read_server(params, url, broker->shown));
  }
  if (encrypted > 0 && encrypted < broker->servers.size()) {
    params.fail("\"broker\" must be tls:// for all servers or for none");
  }
  return encrypted > 0;
}

void read_login(plugin::Params& params, NatsBroker* broker) {
  broker->credentials = read_credentials(params);
  broker->token = read_secret(params, "token");
  broker->credentials_file = readable_file(params, "credentialsFile");
  broker->nkey = params.string_or("nkey", "");
  broker->nkey_seed_file = readable_file(params, "nkeySeedFile");
  if (broker->nkey.empty() != broker->nkey_seed_file.empty()) params.fail("\"nkey\" and \"nkeySeedFile\" go together");
  const int ways = (broker->credentials.username.empty() ? 0 : 1) + (broker->token.empty() ? 0 : 1) +
                   (broker->credentials_file.empty() ? 0 : 1) + (broker->nkey.empty() ? 0 : 1);
  if (ways > 1) params.fail("give one of \"username\", a token, \"credentialsFile\" and \"nkey\", not several");
}

std::string read_subject(plugin::Params& params, bool wildcards) {
  std::string subject = params.required_string("subject");
  bool good = true;
  for (size_t start = 0; start <= subject.size() && good;) {
    const size_t end = std::min(subject.find('.', start), subject.size());
    const std::string_view token = std::string_view(subject).substr(start, end - start);
    good = !token.empty() && token.find_first_of(" \t\r\n") == token.npos && (token != ">" || end == subject.size());
    start = end + 1;
  }
  if (!good) {
    params.fail("\"subject\" must be parts with dots between them, without spaces; > stands last, but is \"" + subject +
                "\"");
  }
  if (!wildcards && has_wildcard(subject)) {
    params.fail("\"subject\" must be one without wildcards (*, >) for EGRESS, but is \"" + subject + "\"");
  }
  return subject;
}

bool is_jetstream_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7F && std::string_view(".*>/\\").find(c) == std::string_view::npos;
  });
}

void require_jetstream(const plugin::Params& params, bool jetstream, const char* key, bool given) {
  if (given && !jetstream) params.fail("\"" + std::string(key) + "\" is for JetStream: set \"jetstream\" to true");
}

}  // namespace

bool has_wildcard(const std::string& subject) {
  return ("." + subject + ".").find(".*.") != subject.npos || subject == ">" || subject.ends_with(".>");
}

std::string jetstream_name(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) {
      name += c;
    } else if (c == '.') {
      name += '=';
    } else {
      name += {'~', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
}

NatsBroker read_broker(plugin::Params& params) {
  NatsBroker broker;
  broker.shown = params.required_string("broker");
  const bool implied = read_addresses(params, &broker);
  read_login(params, &broker);
  broker.tls = read_tls(params, implied);
  return broker;
}

NatsIngressSettings read_ingress_settings(const plugin::Stream& stream) {
  plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
  NatsIngressSettings settings;
  settings.broker = read_broker(params);
  settings.subject = read_subject(params, true);
  settings.queue_group = params.string_or("queueGroup", "");
  settings.pending_messages_max = params.integer_or("pendingMessagesMax", kPendingMessages, 1, 10'000'000);
  settings.pending_bytes_max = params.integer_or("pendingBytesMax", kPendingBytes, 1024, kPendingBytesLargest);
  settings.stream = params.string_or("stream", "");
  settings.durable = params.string_or("durable", "");
  settings.jetstream = params.bool_or("jetstream", !settings.stream.empty() || !settings.durable.empty());
  const bool from_given = !params.string_or("from", "").empty();
  settings.from_new = params.choice_or("from", {"all", "new"}, "all") == "new";
  params.refuse_unknown_keys();
  require_jetstream(params, settings.jetstream, "stream", !settings.stream.empty());
  require_jetstream(params, settings.jetstream, "durable", !settings.durable.empty());
  require_jetstream(params, settings.jetstream, "from", from_given);
  if (settings.jetstream && !settings.queue_group.empty()) {
    params.fail("\"queueGroup\" is not for JetStream: streams with the same \"durable\" share the messages");
  }
  for (const auto& [key, name] : {std::pair("stream", settings.stream), std::pair("durable", settings.durable)}) {
    if (!is_jetstream_name(name)) {
      params.fail("\"" + std::string(key) + "\" must be without spaces, '.', '*', '>' and slashes, but is \"" + name +
                  "\"");
    }
  }
  if (settings.queue_group.find_first_of(" \t\r\n") != std::string::npos) {
    params.fail("\"queueGroup\" must be without spaces");
  }
  if (settings.durable.empty())
    settings.durable = "kps-" + jetstream_name(stream.id) + "-" + jetstream_name(settings.subject);
  return settings;
}

NatsEgressSettings read_egress_settings(const plugin::Stream& stream) {
  plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
  NatsEgressSettings settings;
  settings.broker = read_broker(params);
  settings.subject = read_subject(params, false);
  settings.jetstream = params.bool_or("jetstream", false);
  params.refuse_unknown_keys();
  return settings;
}

}  // namespace kps::plugins
