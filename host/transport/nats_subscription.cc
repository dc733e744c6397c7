#include "host/transport/nats_subscription.h"

#include <nats/nats.h>

#include <algorithm>
#include <utility>

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long the server may take to have sent the rest after a drain.
constexpr milliseconds kDrainWait{1000};
// libnats cannot wake a wait without giving up what is queued, so waits are cut into pieces that see a drain.
constexpr milliseconds kWaitPiece{50};

}  // namespace

NatsSubscription::NatsSubscription(std::shared_ptr<NatsConnection> connection, std::string channel)
    : connection_(std::move(connection)), channel_(std::move(channel)), current_(nullptr, natsMsg_Destroy) {}

NatsSubscription::~NatsSubscription() { connection_->Remove(this); }

Result<std::unique_ptr<Subscription>> NatsSubscription::Open(std::shared_ptr<NatsConnection> connection,
                                                             std::string channel) {
  std::unique_ptr<NatsSubscription> made(new NatsSubscription(std::move(connection), std::move(channel)));
  if (Error error = made->connection_->Add(made.get()); !error.ok()) return error;
  return std::unique_ptr<Subscription>(std::move(made));
}

Error NatsSubscription::OpenOn(const std::shared_ptr<NatsLink>& link) {
  if (IsDraining()) return {};  // nothing more is wanted
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, link->handle(), channel_.c_str());
  Handle handle(raw, [link](natsSubscription* subscription) { link->Destroy(subscription); });
  if (status == NATS_OK) {
    const auto bytes = static_cast<int>(std::min<std::int64_t>(connection_->options().pending_bytes_max, INT32_MAX));
    status = natsSubscription_SetPendingLimits(raw, -1, bytes);
  }
  if (status == NATS_CONNECTION_CLOSED) return {};  // the next link is on its way
  if (status != NATS_OK) {
    return Error(Code::kUnavailable, "cannot subscribe to " + channel_ + ": " + natsStatus_GetText(status));
  }
  MutexLock lock(mutex_);
  handle_ = std::move(handle);
  dropped_before_ += dropped_;
  dropped_ = 0;
  changed_.NotifyAll();
  return {};
}

NatsSubscription::Handle NatsSubscription::handle() const {
  MutexLock lock(mutex_);
  return handle_;
}

void NatsSubscription::WaitForLink(const Handle& former, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (handle_ == former && !IsDraining() && changed_.WaitUntil(mutex_, deadline)) {
  }
}

Result<Delivery> NatsSubscription::Receive(milliseconds timeout) {
  current_.reset();
  const auto deadline = steady_clock::now() + timeout;
  while (!ended_) {
    const bool draining = IsDraining();
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    // A drain is only finished by libnats in a call that waits.
    const milliseconds piece = std::clamp(left, milliseconds(draining ? 1 : 0), kWaitPiece);
    if (draining) (void)Dropped();  // the call may end the drain
    const Handle handle = this->handle();
    natsMsg* message = nullptr;
    const natsStatus status =
        handle ? natsSubscription_NextMsg(&message, handle.get(), piece.count()) : NATS_CONNECTION_CLOSED;
    if (status == NATS_OK) {
      current_.reset(message);
      return Delivery{{natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))}};
    }
    if (status == NATS_SLOW_CONSUMER) continue;  // said once after drops, which Dropped() counts; the rest follows
    const bool link_closed = status == NATS_CONNECTION_CLOSED;
    if (status != NATS_TIMEOUT && !link_closed) {
      if (!IsDraining()) return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(status));
      ended_ = true;
    } else if (draining && (!connection_->connected() || steady_clock::now() >= drain_deadline_.load())) {
      ended_ = true;  // nothing is queued, and no rest is to be expected
    } else if (steady_clock::now() >= deadline) {
      return Error(Code::kDeadlineExceeded, "no message came");
    } else if (link_closed) {
      WaitForLink(handle, piece);
    }
  }
  return Error(Code::kCancelled, "the subscription is drained");
}

void NatsSubscription::Drain() {
  steady_clock::time_point none{};
  if (!drain_deadline_.compare_exchange_strong(none, steady_clock::now() + kDrainWait)) return;
  (void)Dropped();
  // No DrainTimeout: at its end libnats throws away what is queued. That it fails without a connection is no matter.
  if (const Handle handle = this->handle()) (void)natsSubscription_Drain(handle.get());
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

std::uint64_t NatsSubscription::Dropped() const {
  MutexLock lock(mutex_);
  std::int64_t dropped = 0;
  // libnats forgets the count when the drain ends.
  if (handle_ && natsSubscription_GetDropped(handle_.get(), &dropped) == NATS_OK) {
    dropped_ = static_cast<std::uint64_t>(dropped);
  }
  return dropped_before_ + dropped_;
}

}  // namespace kps
