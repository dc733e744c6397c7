#include "nats_connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "nats_connect.h"
#include "nats_errors.h"
#include "start_thread.h"
#include "without_sigpipe.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

// What may wait to be written. Not more: what a slow socket leaves is moved to the front of the buffer each time.
constexpr int kUnwrittenMax = 1024 * 1024;
constexpr uint32_t kWriteEvery = 64 * 1024;

}  // namespace

// Called by libnats with its connection locked: they only leave word.
struct NatsConnection::Callbacks {
  static NatsConnection* self(void* user) { return static_cast<NatsConnection*>(user); }
  static natsStatus attach(void** user, void* loop, natsConnection*, natsSock socket) {
    *user = loop;
    const std::lock_guard lock(self(loop)->mutex_);
    self(loop)->fd_ = socket;
    return NATS_OK;
  }
  // Reading ends only when the socket is about to be closed.
  static natsStatus read(void* user, bool add) {
    if (add) return NATS_OK;
    {
      const std::lock_guard lock(self(user)->mutex_);
      self(user)->fd_ = -1;
    }
    self(user)->over_ = true;
    self(user)->wake();
    return NATS_OK;
  }
  static natsStatus write(void* user, bool add) {
    self(user)->wants_write_ = add;
    if (add && self(user)->corks_ == 0) self(user)->wake();
    return NATS_OK;
  }
  static natsStatus detach(void*) { return NATS_OK; }
};

NatsConnection::NatsConnection(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name,
                               std::function<void(bool over)> changed)
    : changed_(std::move(changed)), where_(address_of(broker, server)), encrypted_(broker.tls.on) {
  open_libnats();
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) throw plugin::errno_failure(errno, "make an eventfd");
  try {
    thread_ = start_thread([&, this] { run(broker, server, name); });
  } catch (const Failure&) {
    ::close(wake_fd_);
    throw;
  }
  std::unique_lock lock(mutex_);
  connected_.wait(lock, [this] { return tried_; });
  if (!reason_ || handle_ != nullptr) return;
  const Failure failure = reason_->failure();
  lock.unlock();
  thread_.join();
  ::close(wake_fd_);
  throw failure;
}

NatsConnection::~NatsConnection() {
  sever();
  thread_.join();
  for (const auto& subscription : subscriptions_) natsSubscription_Destroy(subscription->handle);
  natsConnection_Destroy(handle_);
  ::close(wake_fd_);
}

// The arguments stay for as long as the constructor waits.
void NatsConnection::run(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name) {
  std::optional<NatsReason> failure;
  try {
    connect(broker, server, name);
  } catch (const Failure& caught) {
    failure.emplace(caught);
  } catch (const std::exception& caught) {
    failure.emplace(Failure(KPS_RESOURCE_EXHAUSTED, where_ + ": " + caught.what()));
  }
  const bool connected = !failure;
  {
    const std::lock_guard lock(mutex_);
    reason_ = failure;
    tried_ = true;
    connected_.notify_all();
  }
  if (!connected) return;
  while (!over_) {
    try {
      loop();
    } catch (const Failure& caught) {
      fail(caught);
    } catch (const std::exception& caught) {
      fail(Failure(KPS_RESOURCE_EXHAUSTED, where_ + ": " + caught.what()));
    }
  }
  natsStatus status = NATS_OK;
  const std::string words = last_words(&status);
  {
    const std::lock_guard lock(mutex_);
    if (!reason_) reason_.emplace(Failure(KPS_UNAVAILABLE, "the connection to " + where_ + " is lost: " + words));
  }
  changed_(true);
}

void NatsConnection::connect(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name) {
  const std::unique_ptr<natsOptions, NatsDelete> options = connect_options(broker, server, name);
  require(natsOptions_SetEventLoop(options.get(), this, Callbacks::attach, Callbacks::read, Callbacks::write,
                                   Callbacks::detach),
          "use an event loop");
  const natsStatus status = natsConnection_Connect(&handle_, options.get());
  if (status != NATS_OK) {
    handle_ = nullptr;
    throw connect_failure(status, "connect to " + where_);
  }
}

void NatsConnection::loop() {
  int fd = -1;
  {
    const std::lock_guard lock(mutex_);
    fd = fd_;
  }
  const bool write = wants_write_ && corks_ == 0;
  pollfd descriptors[2] = {{wake_fd_, POLLIN, 0}, {fd, static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0}};
  if (::poll(descriptors, 2, -1) <= 0) return;
  if (descriptors[0].revents != 0) {
    eventfd_t ignored = 0;
    (void)eventfd_read(wake_fd_, &ignored);
  }
  if ((descriptors[1].revents & POLLOUT) != 0) {
    write_now();
    changed_(false);
  }
  if ((descriptors[1].revents & ~POLLOUT) != 0) read();
}

void NatsConnection::read() {
  heard_at_ = Clock::now();
  {
    const std::lock_guard lock(io_mutex_);
    natsConnection_ProcessReadEvent(handle_);
  }
  std::vector<std::shared_ptr<const Subscription>> subscriptions;
  {
    const std::lock_guard lock(mutex_);
    subscriptions = subscriptions_;
  }
  for (const auto& subscription : subscriptions) take_all(*subscription);
  look_for_refusal();
  changed_(false);
}

void NatsConnection::take_all(const Subscription& subscription) {
  std::vector<NatsMessage> came;
  for (;;) {
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, subscription.handle, 0);
    if (status == NATS_OK) {
      came.emplace_back(message);
    } else if (status == NATS_NO_RESPONDERS) {
      std::vector<NatsMessage> nothing;
      subscription.take(nothing);
    } else {
      break;
    }
  }
  if (!came.empty()) subscription.take(came);
}

void NatsConnection::write_now() {
  const WithoutSigpipe without;
  const std::lock_guard lock(io_mutex_);
  // libnats takes a write of nothing for a lost connection.
  if (wants_write_ && !over_) natsConnection_ProcessWriteEvent(handle_);
}

void NatsConnection::write_soon() {
  if (!wants_write_) return;
  if (!encrypted_) write_now();
  if (wants_write_) wake();
}

void NatsConnection::wake() { (void)eventfd_write(wake_fd_, 1); }

void NatsConnection::sever() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) (void)::shutdown(fd_, SHUT_RDWR);
}

void NatsConnection::fail(const Failure& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!reason_) reason_.emplace(reason);
  }
  sever();
}

std::string NatsConnection::last_words(natsStatus* status) {
  const std::lock_guard lock(io_mutex_);  // under which libnats writes them
  const char* words = nullptr;
  *status = natsConnection_GetLastError(handle_, &words);
  return *status != NATS_OK && words != nullptr ? words : "";
}

void NatsConnection::look_for_refusal() {
  if (refused_) return;
  natsStatus status = NATS_OK;
  const std::string words = last_words(&status);
  if (status != NATS_NOT_PERMITTED) return;
  const std::lock_guard lock(mutex_);
  refusal_ = words;
  refused_ = true;
}

void NatsConnection::check() {
  if (!refused_ && !over_) return;
  const std::lock_guard lock(mutex_);
  if (refused_) throw Failure(KPS_PERMISSION_DENIED, "the server at " + where_ + " says: " + refusal_);
  throw reason_ ? reason_->failure() : Failure(KPS_UNAVAILABLE, "the connection to " + where_ + " is lost");
}

void NatsConnection::subscribe(const std::string& subject, const std::string& queue_group, Take take) {
  natsSubscription* handle = nullptr;
  const natsStatus status =
      queue_group.empty() ? natsConnection_SubscribeSync(&handle, handle_, subject.c_str())
                          : natsConnection_QueueSubscribeSync(&handle, handle_, subject.c_str(), queue_group.c_str());
  if (status != NATS_OK) {
    check();
    throw library_failure(status, "subscribe to " + subject + " at " + where_);
  }
  auto subscription = std::make_shared<const Subscription>(Subscription{handle, std::move(take)});
  (void)natsSubscription_SetPendingLimits(handle, -1, -1);  // it is emptied after each read
  {
    const std::lock_guard lock(mutex_);
    subscriptions_.push_back(std::move(subscription));
  }
}

void NatsConnection::publish(const char* subject, const char* reply, const void* data, size_t size) {
  const auto length = static_cast<int>(size);
  const natsStatus status = reply == nullptr ? natsConnection_Publish(handle_, subject, data, length)
                                             : natsConnection_PublishRequest(handle_, subject, reply, data, length);
  if (status != NATS_OK && !over_) {
    throw library_failure(status, std::string("publish to ") + subject + " at " + where_);
  }
  unwritten_ += static_cast<uint32_t>(size) + kWriteEvery / 1024;
  if (unwritten_ < kWriteEvery || encrypted_) return;
  unwritten_ = 0;
  write_now();
}

bool NatsConnection::has_room() { return natsConnection_Buffered(handle_) < kUnwrittenMax; }

size_t NatsConnection::payload_max() const {
  const int64_t bytes = natsConnection_GetMaxPayload(handle_);
  return bytes > 0 ? static_cast<size_t>(bytes) : 0;
}

}  // namespace kps::plugins
