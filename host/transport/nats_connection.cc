#include "host/transport/nats_connection.h"

#include <nats/nats.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "host/transport/nats_publisher.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kReconnectWaitMs = 100;
constexpr std::int64_t kReconnectJitterMs = 100;
constexpr std::int64_t kConnectTimeoutMs = 2000;
constexpr std::int64_t kPingIntervalMs = 10'000;  // a server that hangs is found out after two of them
constexpr int kPingsOutMax = 2;
constexpr std::int64_t kWriteDeadlineMs = 2000;  // without it a server that hangs blocks Publish for ever
constexpr std::int64_t kRoundTripTimeoutMs = 2000;
constexpr milliseconds kRoundTripRetry{50};
constexpr milliseconds kCloseTimeout{5000};

using OptionsPtr = std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)>;

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// For logs and reasons, which are read by more people than the password is for.
std::string WithoutCredentials(const std::string& urls) {
  std::string shown;
  for (std::string& url : SplitAtCommas(urls)) {
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
    if (const std::size_t at = url.rfind('@'); at != std::string::npos && at >= host) url.erase(host, at + 1 - host);
    shown += (shown.empty() ? "" : ",") + url;
  }
  return shown;
}

// libnats takes any number for a port, and would then try it for ever.
bool HasUsablePort(const std::string& url) {
  const std::string shown = WithoutCredentials(url);
  const std::size_t scheme = shown.find("://");
  const std::string host = shown.substr(scheme == std::string::npos ? 0 : scheme + 3);
  if (host.empty()) return false;
  const std::size_t bracket = host.rfind(']');  // of an IPv6 address
  const std::size_t colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon == std::string::npos) return true;  // the default port
  const std::string port = host.substr(colon + 1, host.find('/', colon) - colon - 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number >= 1 && number <= 65'535;
}

}  // namespace

struct NatsConnection::Callbacks {
  static void Connected(natsConnection* handle, void* self) { static_cast<NatsConnection*>(self)->OnConnected(handle); }
  static void Disconnected(natsConnection*, void* self) { static_cast<NatsConnection*>(self)->OnDisconnected(); }
  static void Closed(natsConnection*, void* self) { static_cast<NatsConnection*>(self)->OnClosed(); }
  static void Error(natsConnection*, natsSubscription*, natsStatus status, void* self) {
    static_cast<NatsConnection*>(self)->OnError(status);
  }
};

Result<std::shared_ptr<NatsConnection>> NatsConnection::Open(NatsOptions options, Logger* logger) {
  std::shared_ptr<NatsConnection> connection(new NatsConnection(std::move(options), logger));
  if (Error error = connection->Connect(); !error.ok()) return error;
  connection->confirmer_ = std::thread([self = connection.get()] { self->Confirm(); });
  return connection;
}

NatsConnection::NatsConnection(NatsOptions options, Logger* logger)
    : options_(std::move(options)), shown_url_(WithoutCredentials(options_.url)), logger_(logger) {
  reason_ = "no NATS server at " + shown_url_ + " yet";
}

Error NatsConnection::Connect() {
  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  const OptionsPtr options(raw, natsOptions_Destroy);
  const auto set = [&](natsStatus result) {
    if (status == NATS_OK) status = result;
  };
  // natsOptions_SetURL takes one URL; a list is given to SetServers.
  const std::vector<std::string> urls = SplitAtCommas(options_.url);
  std::vector<const char*> servers;
  for (const std::string& url : urls) {
    if (!HasUsablePort(url)) {
      return Error(Code::kInvalidArgument, "cannot use the NATS URL \"" + WithoutCredentials(url) +
                                               "\": it must name a host, and a port from 1 to 65535 if any");
    }
    servers.push_back(url.c_str());
  }
  set(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())));
  set(natsOptions_SetName(raw, options_.client_name.c_str()));
  set(natsOptions_SetAllowReconnect(raw, true));
  set(natsOptions_SetMaxReconnect(raw, -1));
  set(natsOptions_SetReconnectWait(raw, kReconnectWaitMs));
  set(natsOptions_SetReconnectJitter(raw, kReconnectJitterMs, kReconnectJitterMs));
  set(natsOptions_SetTimeout(raw, kConnectTimeoutMs));
  set(natsOptions_SetWriteDeadline(raw, kWriteDeadlineMs));
  set(natsOptions_SetPingInterval(raw, kPingIntervalMs));
  set(natsOptions_SetMaxPingsOut(raw, kPingsOutMax));
  // Nothing is kept back silently while the server is away: the window of each stream does that.
  set(natsOptions_SetReconnectBufSize(raw, 0));
  set(natsOptions_SetRetryOnFailedConnect(raw, true, Callbacks::Connected, this));
  set(natsOptions_SetReconnectedCB(raw, Callbacks::Connected, this));
  set(natsOptions_SetDisconnectedCB(raw, Callbacks::Disconnected, this));
  set(natsOptions_SetClosedCB(raw, Callbacks::Closed, this));
  set(natsOptions_SetErrorHandler(raw, Callbacks::Error, this));
  if (status == NATS_OK) status = natsConnection_Connect(&handle_, raw);
  if (status == NATS_OK) OnConnected(handle_);
  if (status == NATS_OK || status == NATS_NOT_YET_CONNECTED) return {};
  return Error(Code::kInvalidArgument, "cannot use the NATS URL " + shown_url_ + ": " + natsStatus_GetText(status));
}

NatsConnection::~NatsConnection() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (confirmer_.joinable()) confirmer_.join();
  if (handle_ == nullptr) return;
  natsConnection_Close(handle_);
  // The closed callback is the last one: after it nobody calls back into this object.
  const auto deadline = steady_clock::now() + kCloseTimeout;
  {
    MutexLock lock(mutex_);
    while (!closed_ && changed_.WaitUntil(mutex_, deadline)) {
    }
  }
  natsConnection_Destroy(handle_);
}

std::string NatsConnection::DisconnectReason() const {
  MutexLock lock(mutex_);
  return reason_;
}

void NatsConnection::Watch(std::function<void(bool connected)> watcher) {
  MutexLock lock(mutex_);
  watcher_ = std::move(watcher);
  if (watcher_) watcher_(connected_);
}

std::uint64_t NatsConnection::ReadEpoch(natsConnection* handle) const {
  natsStatistics* raw = nullptr;
  if (natsStatistics_Create(&raw) != NATS_OK) return epoch_;
  const std::unique_ptr<natsStatistics, decltype(&natsStatistics_Destroy)> statistics(raw, natsStatistics_Destroy);
  std::uint64_t reconnects = 0;
  if (natsConnection_GetStats(handle, raw) != NATS_OK ||
      natsStatistics_GetCounts(raw, nullptr, nullptr, nullptr, nullptr, &reconnects) != NATS_OK) {
    return epoch_;
  }
  return reconnects;
}

void NatsConnection::OnConnected(natsConnection* handle) {
  MutexLock lock(mutex_);
  // Gone again already: what is to follow tells so, or has told before Connect came here.
  if (natsConnection_Status(handle) != NATS_CONN_STATUS_CONNECTED) return;
  epoch_ = ReadEpoch(handle);
  max_payload_ = static_cast<std::size_t>(natsConnection_GetMaxPayload(handle));
  const bool was_connected = connected_.exchange(true);
  reason_.clear();
  last_error_.clear();
  if (!was_connected) logger_->Log(LogLevel::kInfo, "", "transport connected to " + shown_url_);
  if (!was_connected && watcher_) watcher_(true);
  for (NatsPublisher* publisher : publishers_) publisher->Notify();
  changed_.NotifyAll();
}

void NatsConnection::OnDisconnected() {
  MutexLock lock(mutex_);
  reason_ = "the connection to NATS at " + shown_url_ + " is lost; reconnecting";
  if (connected_.exchange(false)) {
    if (!stopping_) logger_->Log(LogLevel::kWarn, "", reason_);
    if (watcher_) watcher_(false);
  }
  changed_.NotifyAll();
}

void NatsConnection::OnError(int status) {
  MutexLock lock(mutex_);
  // Slow consumers are counted and reported by their stream; other errors once for each change.
  if (status == NATS_SLOW_CONSUMER) return;
  // The server's own words are in a text of this thread, which nobody else rewrites.
  const char* words = nats_GetLastError(nullptr);
  std::string text = words != nullptr && *words != '\0' ? words : natsStatus_GetText(static_cast<natsStatus>(status));
  if (text == last_error_) return;
  last_error_ = std::move(text);
  logger_->Log(LogLevel::kWarn, "", "NATS: " + last_error_);
}

void NatsConnection::OnClosed() {
  MutexLock lock(mutex_);
  if (connected_.exchange(false) && watcher_) watcher_(false);
  closed_ = true;
  reason_ = "the connection to NATS at " + shown_url_ + " is closed";
  // libnats gives up by itself when the server refuses the same credentials twice, or answers with a fatal error.
  if (!stopping_) {
    reason_ += " for good" + (last_error_.empty() ? "" : ": " + last_error_) + "; restart the host when it is mended";
    logger_->Log(LogLevel::kError, "", reason_);
  }
  changed_.NotifyAll();
}

void NatsConnection::Add(NatsPublisher* publisher) {
  MutexLock lock(mutex_);
  publishers_.push_back(publisher);
}

void NatsConnection::Remove(NatsPublisher* publisher) {
  MutexLock lock(mutex_);
  std::erase(publishers_, publisher);
}

void NatsConnection::WakeConfirmer() {
  if (!confirmer_idle_) return;
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

bool NatsConnection::AnyOutstanding() {
  return std::any_of(publishers_.begin(), publishers_.end(), [](NatsPublisher* p) { return p->HasOutstanding(); });
}

void NatsConnection::Confirm() {
  while (true) {
    {
      MutexLock lock(mutex_);
      // Idle is set before the look at the publishers, and they look at it after they publish: one of both sees the other.
      confirmer_idle_ = true;
      while (!stopping_ && !(connected_ && AnyOutstanding())) changed_.Wait(mutex_);
      confirmer_idle_ = false;
      if (stopping_) return;
    }
    if (RoundTrip()) continue;
    MutexLock lock(mutex_);
    if (!stopping_) changed_.WaitUntil(mutex_, steady_clock::now() + kRoundTripRetry);
  }
}

bool NatsConnection::RoundTrip() {
  const std::uint64_t before = ReadEpoch(handle_);
  struct Waiting {
    NatsPublisher* publisher;
    std::uint64_t serial;
    std::uint64_t ticket;
  };
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    epoch_ = before;
    for (NatsPublisher* publisher : publishers_) {
      if (const std::uint64_t ticket = publisher->Outstanding(before)) {
        waiting.push_back({publisher, publisher->serial(), ticket});
      }
      publisher->Notify();
    }
  }
  if (waiting.empty()) return false;  // what is outstanding belongs to an earlier connection: its owner is being told
  if (natsConnection_FlushTimeout(handle_, kRoundTripTimeoutMs) != NATS_OK || ReadEpoch(handle_) != before) return false;
  MutexLock lock(mutex_);
  for (const auto& [publisher, serial, ticket] : waiting) {
    // It may have gone meanwhile, and another may live at its address.
    const bool there = std::find(publishers_.begin(), publishers_.end(), publisher) != publishers_.end();
    if (there && publisher->serial() == serial) publisher->MarkConfirmed(ticket);
  }
  return true;
}

}  // namespace kps
