#include "host/transport/nats_link.h"

#include <nats/nats.h>

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "host/transport/nats_url.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kConnectTimeoutMs = 2000;
constexpr std::int64_t kForEverMs = std::int64_t{1000} * 60 * 60 * 24 * 365;
// How long a round trip waits for its answer: so long, and twice as long after each that was late.
constexpr milliseconds kPatience{2000};
constexpr milliseconds kPatienceMax{8000};
// What may wait to be written before Publish waits, and how long it does. Not more: what a slow socket leaves is moved
// to the front of libnats's buffer after every write.
constexpr int kUnwrittenBytesMax = 1024 * 1024;
constexpr std::uint32_t kCheckEveryBytes = 64 * 1024;
constexpr milliseconds kPublishWait{100};
constexpr milliseconds kRefusalIsTold{20};
// A wait for an answer sees within this that the link is over.
constexpr milliseconds kRequestPiece{50};

using OptionsPtr = std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)>;

}  // namespace

struct NatsLink::Callbacks {
  static void Closed(natsConnection*, void* self) {
    auto* link = static_cast<NatsLink*>(self);
    link->End();
    MutexLock lock(link->mutex_);
    link->closed_ = true;
    link->changed_.NotifyAll();
  }
  static void Error(natsConnection*, natsSubscription*, natsStatus status, void* self) {
    if (status == NATS_SLOW_CONSUMER) return;  // counted and reported by its stream
    auto* link = static_cast<NatsLink*>(self);
    // The server's own words are in a text of this thread, which nobody else rewrites.
    const char* words = nats_GetLastError(nullptr);
    MutexLock lock(link->mutex_);
    if (link->owner_ == nullptr) return;
    const std::string text = words != nullptr && *words != '\0' ? words : natsStatus_GetText(status);
    if (const auto refusal = ReadNatsRefusal(text)) return link->owner_->OnRefused(*refusal);
    link->owner_->OnLinkError(text);
  }
  // Asked before each attempt to reconnect, as there is one server to choose from. It never comes to one: libnats waits
  // until the connection is closed.
  static std::int64_t ReconnectDelay(natsConnection*, int, void* self) {
    static_cast<NatsLink*>(self)->End();
    return kForEverMs;
  }
};

Result<std::shared_ptr<NatsLink>> NatsLink::Open(const std::string& url, const std::string& client_name,
                                                 std::uint64_t serial, Owner* owner) {
  auto loop = NatsLoop::Start();
  if (!loop.ok()) return loop.error();
  std::shared_ptr<NatsLink> link(new NatsLink(serial, owner, std::move(loop.value())));
  if (Error error = link->Connect(url, client_name); !error.ok()) return error;
  return link;
}

NatsLink::NatsLink(std::uint64_t serial, Owner* owner, std::unique_ptr<NatsLoop> loop)
    : serial_(serial), loop_(std::move(loop)), patience_(kPatience), owner_(owner) {}

Error NatsLink::Connect(const std::string& url, const std::string& client_name) {
  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  const OptionsPtr owned(raw, natsOptions_Destroy);
  const auto set = [&](natsStatus result) {
    if (status == NATS_OK) status = result;
  };
  set(natsOptions_SetURL(raw, url.c_str()));
  set(natsOptions_SetIgnoreDiscoveredServers(raw, true));
  set(natsOptions_SetName(raw, client_name.c_str()));
  set(natsOptions_SetAllowReconnect(raw, true));
  set(natsOptions_SetMaxReconnect(raw, -1));
  set(natsOptions_SetCustomReconnectDelay(raw, Callbacks::ReconnectDelay, this));
  set(natsOptions_SetTimeout(raw, kConnectTimeoutMs));
  set(natsOptions_SetSendAsap(raw, true));   // tells the loop at once that something is to be written
  // Over TLS, libnats waits for a socket that is full, with its connection locked.
  set(natsOptions_SetWriteDeadline(raw, kConnectTimeoutMs));
  set(natsOptions_SetPingInterval(raw, 0));  // NatsConnection makes its own round trips
  // Nothing is accepted after the end: the window of each stream keeps it for the next link.
  set(natsOptions_SetReconnectBufSize(raw, 0));
  set(natsOptions_SetClosedCB(raw, Callbacks::Closed, this));
  set(natsOptions_SetErrorHandler(raw, Callbacks::Error, this));
  if (status == NATS_OK && !loop_->Install(raw)) status = NATS_NO_MEMORY;
  if (status == NATS_OK) status = natsConnection_Connect(&handle_, raw);
  if (status == NATS_OK) return {};
  const char* words = nats_GetLastError(nullptr);
  return Error(status == NATS_INVALID_ARG ? Code::kInvalidArgument : Code::kUnavailable,
               "cannot connect to NATS at " + WithoutCredentials(url) + ": " +
                   (words != nullptr && *words != '\0' ? words : natsStatus_GetText(status)));
}

NatsLink::~NatsLink() {
  if (handle_ != nullptr) {
    {
      MutexLock lock(mutex_);
      owner_ = nullptr;
    }
    loop_->EndReading();
    natsConnection_Close(handle_);
    MutexLock lock(mutex_);
    while (!closed_) changed_.Wait(mutex_);
  }
  loop_.reset();  // it uses the connection until here
  natsConnection_Destroy(handle_);
}

void NatsLink::End() {
  MutexLock lock(mutex_);
  if (ended_.exchange(true)) return;
  if (owner_ != nullptr) owner_->OnLinkEnded();
}

void NatsLink::Destroy(natsSubscription* subscription) {
  if (subscription == nullptr) return;
  // libnats (3.4.1) looks up a message's subscription and then uses it without holding it. Once it is not found any
  // more, and what was being read is done with, nobody uses it.
  (void)natsSubscription_Unsubscribe(subscription);
  loop_->WaitForRead();
  natsSubscription_Destroy(subscription);
}

std::shared_ptr<natsSubscription> NatsLink::Subscribe(const std::shared_ptr<NatsLink>& link,
                                                      const std::string& subject) {
  natsSubscription* raw = nullptr;
  if (natsConnection_SubscribeSync(&raw, link->handle(), subject.c_str()) != NATS_OK) return nullptr;
  std::shared_ptr<natsSubscription> handle(raw,
                                           [link](natsSubscription* subscription) { link->Destroy(subscription); });
  (void)natsSubscription_SetPendingLimits(raw, -1, -1);
  return handle;
}

std::string NewInbox() {
  char* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  std::string copy(inbox);
  natsInbox_Destroy(inbox);
  return copy;
}

Result<std::string> NatsLink::Request(const std::string& subject, const std::string& text, milliseconds timeout) {
  const Error unanswered(Code::kUnavailable, "no answer to " + subject);
  const std::string inbox = NewInbox();
  natsSubscription* raw = nullptr;
  if (natsConnection_SubscribeSync(&raw, handle_, inbox.c_str()) != NATS_OK) return unanswered;
  const auto destroy = [this](natsSubscription* subscription) { Destroy(subscription); };
  const std::unique_ptr<natsSubscription, decltype(destroy)> subscription(raw, destroy);
  natsStatus status = natsConnection_PublishRequest(handle_, subject.c_str(), inbox.c_str(), text.data(),
                                                    static_cast<int>(text.size()));
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (status == NATS_OK && !over() && std::chrono::steady_clock::now() < deadline) {
    natsMsg* message = nullptr;
    status = natsSubscription_NextMsg(&message, raw, kRequestPiece.count());
    if (status == NATS_NO_RESPONDERS) return Error(Code::kNotFound, "nobody answers to " + subject);
    if (status == NATS_TIMEOUT) status = NATS_OK;
    if (message == nullptr) continue;
    std::string answer(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    natsMsg_Destroy(message);
    return answer;
  }
  return unanswered;
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
  const std::uint64_t reads = loop_->reads();
  const natsStatus status = natsConnection_FlushTimeout(handle_, patience_.count());
  const bool late = status == NATS_TIMEOUT;
  patience_ = late ? std::min(2 * patience_, kPatienceMax) : kPatience;
  if (late && loop_->reads() == reads) loop_->Sever();
  if (status != NATS_OK || over()) return false;  // OK is also what a PING gets that could not be written (3.4.1)
  const char* racing = nullptr;                   // libnats may be writing into it
  if (natsConnection_GetLastError(handle_, &racing) == NATS_NOT_PERMITTED) {
    // It stays so for as long as the connection lives; what was refused is told on another thread, which may be behind.
    std::this_thread::sleep_for(kRefusalIsTold);
  }
  return true;
}

}  // namespace kps
