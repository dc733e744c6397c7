#include "host/transport/nats_link.h"

#include <nats/nats.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "host/transport/nats_url.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kReconnectDelayFirstMs = 50;
constexpr std::int64_t kReconnectDelayMaxMs = 1000;
constexpr std::int64_t kConnectTimeoutMs = 2000;
// A server that takes longer hangs.
constexpr milliseconds kRoundTripMax{2000};
// What may wait to be written before Publish waits, and how long it does. Not more: what a slow socket leaves is moved
// to the front of libnats's buffer after every write.
constexpr int kUnwrittenBytesMax = 1024 * 1024;
constexpr std::uint32_t kCheckEveryBytes = 64 * 1024;
constexpr milliseconds kPublishWait{100};
constexpr milliseconds kRefusalIsTold{20};

using OptionsPtr = std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)>;

// The channel in: Permissions Violation for Publish to "a.b"
std::optional<std::string> RefusedChannel(std::string_view text) {
  constexpr std::string_view kBefore = "for publish to \"";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  const auto found = std::search(text.begin(), text.end(), kBefore.begin(), kBefore.end(), same);
  if (found == text.end()) return std::nullopt;
  const auto start = found + static_cast<std::ptrdiff_t>(kBefore.size());
  return std::string(start, std::find(start, text.end(), '"'));
}

}  // namespace

struct NatsLink::Callbacks {
  static void Connected(natsConnection* handle, void* self) {
    // Gone again already: what is to follow tells so.
    Tell(self, [&](NatsLink* link) { link->connected_ = natsConnection_Status(handle) == NATS_CONN_STATUS_CONNECTED; });
  }
  static void Disconnected(natsConnection*, void* self) {
    Tell(self, [](NatsLink* link) { link->connected_ = false; });
  }
  static void Closed(natsConnection*, void* self) {
    Tell(self, [](NatsLink* link) {
      link->connected_ = false;
      link->ended_ = true;
    });
    auto* link = static_cast<NatsLink*>(self);
    std::shared_ptr<NatsLink> last;  // destroyed after the lock
    MutexLock lock(link->mutex_);
    last = std::move(link->self_);
  }
  static void Error(natsConnection*, natsSubscription*, natsStatus status, void* self) {
    if (status == NATS_SLOW_CONSUMER) return;  // counted and reported by its stream
    auto* link = static_cast<NatsLink*>(self);
    // The server's own words are in a text of this thread, which nobody else rewrites.
    const char* words = nats_GetLastError(nullptr);
    MutexLock lock(link->mutex_);
    if (link->owner_ == nullptr) return;
    const std::string text = words != nullptr && *words != '\0' ? words : natsStatus_GetText(status);
    if (const auto channel = RefusedChannel(text)) link->owner_->OnPublishRefused(*channel);
    link->owner_->OnLinkError(text);
  }
  static std::int64_t ReconnectDelay(natsConnection*, int attempt, void* self) {
    return static_cast<NatsLink*>(self)->NextReconnectDelayMs(attempt);
  }

 private:
  template <typename Change>
  static void Tell(void* self, Change change) {
    auto* link = static_cast<NatsLink*>(self);
    MutexLock lock(link->mutex_);
    change(link);
    if (link->owner_ != nullptr) link->owner_->OnLinkChanged(link);
  }
};

Result<std::shared_ptr<NatsLink>> NatsLink::Open(const NatsOptions& options, std::uint32_t serial, Owner* owner) {
  auto loop = NatsLoop::Start();
  if (!loop.ok()) return loop.error();
  std::shared_ptr<NatsLink> link(new NatsLink(serial, owner, std::move(loop.value())));
  if (Error error = link->Connect(options, link); !error.ok()) return error;
  return link;
}

NatsLink::NatsLink(std::uint32_t serial, Owner* owner, std::unique_ptr<NatsLoop> loop)
    : serial_(serial), loop_(std::move(loop)), owner_(owner) {}

Error NatsLink::Connect(const NatsOptions& options, const std::shared_ptr<NatsLink>& self) {
  auto urls = SplitNatsUrls(options.url);
  if (!urls.ok()) return urls.error();
  std::vector<const char*> servers;
  for (const std::string& url : urls.value()) servers.push_back(url.c_str());

  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  const OptionsPtr owned(raw, natsOptions_Destroy);
  const auto set = [&](natsStatus result) {
    if (status == NATS_OK) status = result;
  };
  set(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())));
  set(natsOptions_SetName(raw, options.client_name.c_str()));
  set(natsOptions_SetAllowReconnect(raw, true));
  set(natsOptions_SetMaxReconnect(raw, -1));
  set(natsOptions_SetCustomReconnectDelay(raw, Callbacks::ReconnectDelay, this));
  set(natsOptions_SetTimeout(raw, kConnectTimeoutMs));
  set(natsOptions_SetSendAsap(raw, true));   // tells the loop at once that something is to be written
  set(natsOptions_SetPingInterval(raw, 0));  // NatsConnection makes its own round trips
  // Nothing is kept back silently while the server is away: the window of each stream does that.
  set(natsOptions_SetReconnectBufSize(raw, 0));
  set(natsOptions_SetRetryOnFailedConnect(raw, true, Callbacks::Connected, this));
  set(natsOptions_SetReconnectedCB(raw, Callbacks::Connected, this));
  set(natsOptions_SetDisconnectedCB(raw, Callbacks::Disconnected, this));
  set(natsOptions_SetClosedCB(raw, Callbacks::Closed, this));
  set(natsOptions_SetErrorHandler(raw, Callbacks::Error, this));
  if (status == NATS_OK && !loop_->Install(raw)) status = NATS_NO_MEMORY;
  if (status == NATS_OK) {
    MutexLock lock(mutex_);
    self_ = self;
  }
  if (status == NATS_OK) status = natsConnection_Connect(&handle_, raw);
  if (status == NATS_OK || status == NATS_NOT_YET_CONNECTED) {
    if (status == NATS_OK) {
      connected_ = true;
    } else {
      MutexLock lock(mutex_);
      owner_->OnConnectFailed();
    }
    return {};
  }
  MutexLock lock(mutex_);
  owner_ = nullptr;
  self_.reset();  // the caller has another
  return Error(Code::kInvalidArgument,
               "cannot use the NATS URL " + WithoutCredentials(options.url) + ": " + natsStatus_GetText(status));
}

NatsLink::~NatsLink() {
  natsConnection_Close(handle_);
  loop_.reset();  // it uses the connection until here
  natsConnection_Destroy(handle_);
}

void NatsLink::Close() {
  {
    MutexLock lock(mutex_);
    owner_ = nullptr;
  }
  connected_ = false;
  ended_ = true;
  natsConnection_Close(handle_);
}

void NatsLink::Destroy(natsSubscription* subscription) {
  if (subscription == nullptr) return;
  // libnats (3.4.1) looks up a message's subscription and then uses it without holding it. Once it is not found any
  // more, and what was being read is done with, nobody uses it.
  (void)natsSubscription_Unsubscribe(subscription);
  loop_->WaitForRead();
  natsSubscription_Destroy(subscription);
}

bool NatsLink::WaitForRoom(std::size_t bytes) {
  unchecked_bytes_ += static_cast<std::uint32_t>(bytes);
  if (unchecked_bytes_ < kCheckEveryBytes) return true;
  if (natsConnection_Buffered(handle_) >= kUnwrittenBytesMax) {
    loop_->WaitForWrite(kPublishWait);
    if (natsConnection_Buffered(handle_) >= kUnwrittenBytesMax) return false;
  }
  unchecked_bytes_ = 0;
  return true;
}

std::size_t NatsLink::MaxPayload() const {
  const std::int64_t bytes = natsConnection_GetMaxPayload(handle_);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool NatsLink::RoundTrip() {
  const std::uint64_t before = epoch();
  const natsStatus status = natsConnection_FlushTimeout(handle_, kRoundTripMax.count());
  if (status == NATS_TIMEOUT) loop_->Sever();
  if (status != NATS_OK || epoch() != before) return false;
  const char* racing = nullptr;  // libnats may be writing into it
  if (natsConnection_GetLastError(handle_, &racing) == NATS_NOT_PERMITTED) {
    // It stays so until the connection is another; what was refused is told on another thread, which may be behind.
    std::this_thread::sleep_for(kRefusalIsTold);
  }
  return true;
}

std::int64_t NatsLink::NextReconnectDelayMs(int attempt) {
  {
    MutexLock lock(mutex_);
    if (owner_ != nullptr) owner_->OnReconnecting();
    if (owner_ != nullptr && attempt > 1) owner_->OnConnectFailed();
  }
  const std::int64_t ceiling = std::min(kReconnectDelayFirstMs << std::min(attempt - 1, 10), kReconnectDelayMaxMs);
  return ceiling / 2 + std::rand() % (ceiling / 2 + 1);  // jitter, so that hosts do not come back all at once
}

}  // namespace kps
