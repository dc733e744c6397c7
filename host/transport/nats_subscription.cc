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

Delivery ToDelivery(const natsMsg* message) {
  return Delivery{{natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))}};
}

}  // namespace

NatsSubscription::NatsSubscription(std::shared_ptr<NatsConnection> connection, std::string channel)
    : connection_(std::move(connection)), channel_(std::move(channel)) {}

NatsSubscription::~NatsSubscription() { connection_->Remove(this); }

Result<std::unique_ptr<Subscription>> NatsSubscription::Open(std::shared_ptr<NatsConnection> connection,
                                                             std::string channel) {
  std::unique_ptr<NatsSubscription> made(new NatsSubscription(std::move(connection), std::move(channel)));
  if (Error error = made->connection_->Add(made.get()); !error.ok()) return error;
  return std::unique_ptr<Subscription>(std::move(made));
}

Error NatsSubscription::OpenOn(const std::shared_ptr<NatsLink>& link) {
  if (IsDraining()) return {};  // nothing more is wanted
  refusals_before_ = connection_->refusals().count();
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
  Handle former;  // released after mutex_
  MutexLock lock(mutex_);
  CountDropped();
  dropped_before_ += std::exchange(dropped_, 0);
  if (!reading_) reading_ = handle;
  if (reading_ != newest_ && newest_) CarryNewest();
  former = std::exchange(newest_, std::move(handle));
  changed_.NotifyAll();
  return {};
}

void NatsSubscription::CarryNewest() {
  natsMsg* message = nullptr;
  natsStatus status = NATS_OK;
  while (status == NATS_OK || status == NATS_SLOW_CONSUMER) {
    status = natsSubscription_NextMsg(&message, newest_.get(), 0);
    if (status != NATS_OK) continue;
    MessagePtr owned(message, natsMsg_Destroy);
    const int bytes = natsMsg_GetDataLength(message);
    if (carried_bytes_ + bytes > connection_->options().pending_bytes_max) {
      ++dropped_before_;
      continue;
    }
    carried_bytes_ += bytes;
    carried_.push_back(std::move(owned));
  }
}

NatsSubscription::MessagePtr NatsSubscription::TakeCarried() {
  Handle former;  // released after mutex_
  MutexLock lock(mutex_);
  MessagePtr message(nullptr, natsMsg_Destroy);
  if (carried_.empty()) {
    former = std::exchange(reading_, newest_);
  } else {
    message = std::move(carried_.front());
    carried_.pop_front();
    carried_bytes_ -= natsMsg_GetDataLength(message.get());
  }
  return message;
}

void NatsSubscription::WaitForLink(const Handle& handle, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (newest_ == handle && !IsDraining() && changed_.WaitUntil(mutex_, deadline)) {
  }
}

Result<Delivery> NatsSubscription::Receive(milliseconds timeout) {
  given_.clear();
  const auto deadline = steady_clock::now() + timeout;
  while (!ended_) {
    const bool draining = IsDraining();
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    const natsStatus status = Take(std::clamp(left, milliseconds(0), kWaitPiece));
    if (!given_.empty()) return ToDelivery(given_.back().get());
    if (status == NATS_OK) continue;
    if (status != NATS_TIMEOUT && status != NATS_CONNECTION_CLOSED) {
      if (!IsDraining()) return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(status));
      ended_ = true;
    } else if (draining && (!connection_->connected() || steady_clock::now() >= drain_deadline_.load())) {
      ended_ = true;  // nothing is queued, and no rest is to be expected
    } else if (!draining && connection_->refusals().Since(refusals_before_, NatsRefusal::Of::kSubscribe, channel_)) {
      return NotPermitted(NatsRefusal::Of::kSubscribe, channel_);
    } else if (steady_clock::now() >= deadline) {
      return Error(Code::kDeadlineExceeded, "no message came");
    }
  }
  return Error(Code::kCancelled, "the subscription is drained");
}

std::optional<Delivery> NatsSubscription::ReceiveMore() {
  const std::size_t before = given_.size();
  if (ended_ || Take(milliseconds(0)) != NATS_OK || given_.size() == before) return std::nullopt;
  return ToDelivery(given_.back().get());
}

natsStatus NatsSubscription::Take(milliseconds timeout) {
  Handle handle;
  bool former = false;  // nothing more arrives there
  {
    MutexLock lock(mutex_);
    handle = reading_;
    former = reading_ != newest_;
    if (IsDraining()) {
      CountDropped();                                // the call below may end the drain
      timeout = std::max(timeout, milliseconds(1));  // which only a call that waits does
    }
    if (former) timeout = milliseconds(0);
  }
  natsMsg* message = nullptr;
  const natsStatus status =
      handle ? natsSubscription_NextMsg(&message, handle.get(), timeout.count()) : NATS_CONNECTION_CLOSED;
  if (status == NATS_OK) {
    given_.emplace_back(message, natsMsg_Destroy);
  } else if (status == NATS_SLOW_CONSUMER) {
    return NATS_OK;  // said once after drops, which Dropped() counts; the rest follows
  } else if (former) {
    if (MessagePtr carried = TakeCarried()) given_.push_back(std::move(carried));
    return NATS_OK;
  } else if (status == NATS_CONNECTION_CLOSED) {
    WaitForLink(handle, timeout);
  }
  return status;
}

void NatsSubscription::Drain() {
  steady_clock::time_point none{};
  if (!drain_deadline_.compare_exchange_strong(none, steady_clock::now() + kDrainWait)) return;
  MutexLock lock(mutex_);
  CountDropped();
  // No DrainTimeout: at its end libnats throws away what is queued. That it fails without a connection is no matter.
  if (newest_) (void)natsSubscription_Drain(newest_.get());
  changed_.NotifyAll();
}

std::uint64_t NatsSubscription::Dropped() const {
  MutexLock lock(mutex_);
  CountDropped();
  return dropped_before_ + dropped_;
}

void NatsSubscription::CountDropped() const {
  std::int64_t dropped = 0;
  // libnats forgets the count when the drain ends.
  if (newest_ && natsSubscription_GetDropped(newest_.get(), &dropped) == NATS_OK) {
    dropped_ = static_cast<std::uint64_t>(dropped);
  }
}

}  // namespace kps
