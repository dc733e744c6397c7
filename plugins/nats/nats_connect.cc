#include "nats_connect.h"

#include <signal.h>
#include <support/keep_loaded.h>

#include <mutex>

#include "nats_errors.h"

namespace kps::plugins {
namespace {

constexpr int64_t kConnectMaxMs = 2000;
// Over TLS, libnats waits for a socket that is full, with its connection locked: what comes in between waits as long.
constexpr int64_t kWriteMaxMs = 2000;
constexpr int kReadBytes = 64 * 1024;

}  // namespace

void open_libnats() {
  // Its first start makes the process ignore SIGPIPE, which is the host's to decide.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static bool opened = false;
  if (opened) return;
  keep_loaded(reinterpret_cast<const void*>(&nats_Open));
  struct sigaction former = {};
  (void)::sigaction(SIGPIPE, nullptr, &former);
  const natsStatus status = nats_Open(-1);
  (void)::sigaction(SIGPIPE, &former, nullptr);
  require(status, "start libnats");
  opened = true;
}

std::string address_of(const NatsBroker& broker, const NatsBroker::Server& server) {
  return (broker.tls.on ? "tls://" : "nats://") + server.host + ":" + std::to_string(server.port);
}

std::unique_ptr<natsOptions, NatsDelete> connect_options(const NatsBroker& broker, const NatsBroker::Server& server,
                                                         const std::string& name) {
  natsOptions* raw = nullptr;
  require(natsOptions_Create(&raw), "make options");
  std::unique_ptr<natsOptions, NatsDelete> options(raw);
  const std::string url = "nats://" + server.host + ":" + std::to_string(server.port);
  require(natsOptions_SetURL(raw, url.c_str()), "use the address");
  require(natsOptions_SetIgnoreDiscoveredServers(raw, true), "set an option");
  require(natsOptions_SetName(raw, name.c_str()), "set the name");
  require(natsOptions_SetAllowReconnect(raw, false), "set an option");
  require(natsOptions_SetPingInterval(raw, 0), "set an option");
  require(natsOptions_SetTimeout(raw, kConnectMaxMs), "set the timeout");
  require(natsOptions_SetWriteDeadline(raw, kWriteMaxMs), "set the deadline of a write");
  require(natsOptions_SetIOBufSize(raw, kReadBytes), "set the size of a read");
  require(natsOptions_SetSendAsap(raw, true),
          "set an option");  // tells the loop at once that something is to be written
  if (!broker.credentials.username.empty()) {
    require(natsOptions_SetUserInfo(raw, broker.credentials.username.c_str(), broker.credentials.password.c_str()),
            "set the username");
  }
  if (!broker.token.empty()) require(natsOptions_SetToken(raw, broker.token.c_str()), "set the token");
  if (!broker.credentials_file.empty()) {
    require(natsOptions_SetUserCredentialsFromFiles(raw, broker.credentials_file.c_str(), nullptr),
            "use \"credentialsFile\"");
  }
  if (!broker.nkey.empty()) {
    require(natsOptions_SetNKeyFromSeed(raw, broker.nkey.c_str(), broker.nkey_seed_file.c_str()), "use \"nkey\"");
  }
  if (const Tls& tls = broker.tls; tls.on) {
    require(natsOptions_SetSecure(raw, true), "set up TLS");
    if (!tls.ca_file.empty())
      require(natsOptions_LoadCATrustedCertificates(raw, tls.ca_file.c_str()), "use \"caFile\"");
    if (!tls.cert_file.empty())
      require(natsOptions_LoadCertificatesChain(raw, tls.cert_file.c_str(), tls.key_file.c_str()), "use \"certFile\"");
    if (!tls.verify) require(natsOptions_SkipServerVerification(raw, true), "set up TLS");
  }
  return options;
}

}  // namespace kps::plugins
