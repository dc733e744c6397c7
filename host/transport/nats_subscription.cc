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

class NatsSubscription : public Subscription {
 public:
  NatsSubscription(std::shared_ptr<NatsConnection> connection, natsSubscription* handle)
      : connection_(std::move(connection)), handle_(handle) {}
  ~NatsSubscription() override {
    natsMsg_Destroy(current_);
    natsSubscription_Destroy(handle_);
  }

  Result<Delivery> Receive(milliseconds timeout) override {
    natsMsg_Destroy(current_);
    current_ = nullptr;
    const auto deadline = steady_clock::now() + timeout;
    while (!ended_) {
      const bool draining = IsDraining();
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      // A drain is only finished by libnats in a call that waits.
      const milliseconds piece = std::clamp(left, milliseconds(draining ? 1 : 0), kWaitPiece);
      if (draining) (void)Dropped();  // the call may end the drain
      const natsStatus status = natsSubscription_NextMsg(&current_, handle_, piece.count());
      if (status == NATS_OK) {
        return Delivery{{natsMsg_GetData(current_), static_cast<std::size_t>(natsMsg_GetDataLength(current_))}};
      }
      current_ = nullptr;
      if (status == NATS_SLOW_CONSUMER) continue;  // said once after drops, which Dropped() counts; the rest follows
      if (status != NATS_TIMEOUT) {
        if (!IsDraining()) return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(status));
        ended_ = true;
      } else if (draining && (!connection_->connected() || steady_clock::now() >= drain_deadline_.load())) {
        ended_ = true;  // nothing is queued, and no rest is to be expected
      } else if (steady_clock::now() >= deadline) {
        return Error(Code::kDeadlineExceeded, "no message came");
      }
    }
    return Error(Code::kCancelled, "the subscription is drained");
  }

  void Drain() override {
    steady_clock::time_point none{};
    if (!drain_deadline_.compare_exchange_strong(none, steady_clock::now() + kDrainWait)) return;
    // No DrainTimeout: at its end libnats throws away what is queued. That it fails without a connection is no matter.
    (void)Dropped();
    (void)natsSubscription_Drain(handle_);
  }

  std::uint64_t Dropped() const override {
    // libnats forgets the count when the drain ends.
    std::int64_t dropped = 0;
    if (natsSubscription_GetDropped(handle_, &dropped) == NATS_OK) dropped_ = static_cast<std::uint64_t>(dropped);
    return dropped_;
  }

 private:
  bool IsDraining() const { return drain_deadline_.load() != steady_clock::time_point{}; }

  const std::shared_ptr<NatsConnection> connection_;
  natsSubscription* const handle_;
  natsMsg* current_ = nullptr;
  bool ended_ = false;  // of the thread that receives
  mutable std::atomic<std::uint64_t> dropped_{0};  // as last read
  std::atomic<steady_clock::time_point> drain_deadline_{steady_clock::time_point{}};  // set by Drain
};

}  // namespace

Result<std::unique_ptr<Subscription>> MakeNatsSubscription(std::shared_ptr<NatsConnection> connection,
                                                           const std::string& channel) {
  natsSubscription* handle = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&handle, connection->handle(), channel.c_str());
  if (status == NATS_OK) {
    const auto bytes = static_cast<int>(std::min<std::int64_t>(connection->options().pending_bytes_max, INT32_MAX));
    status = natsSubscription_SetPendingLimits(handle, -1, bytes);
  }
  if (status != NATS_OK) {
    natsSubscription_Destroy(handle);
    return Error(Code::kUnavailable, "cannot subscribe to " + channel + ": " + natsStatus_GetText(status));
  }
  return std::unique_ptr<Subscription>(new NatsSubscription(std::move(connection), handle));
}

}  // namespace kps
