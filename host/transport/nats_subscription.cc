#include "host/transport/nats_subscription.h"

#include <nats/nats.h>

#include <algorithm>
#include <utility>

namespace kps {
namespace {

using std::chrono::milliseconds;

// How long a drain may wait for the server to have sent the rest.
constexpr std::int64_t kDrainTimeoutMs = 1000;

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
    const bool draining = draining_;
    // libnats takes 0 for "wait for ever" in some calls: 1 ms is the shortest wait.
    const natsStatus status =
        natsSubscription_NextMsg(&current_, handle_, std::max<std::int64_t>(timeout.count(), 1));
    if (status == NATS_OK) {
      return Delivery{{natsMsg_GetData(current_), static_cast<std::size_t>(natsMsg_GetDataLength(current_))}};
    }
    current_ = nullptr;
    if (status == NATS_TIMEOUT && !(draining && timeout.count() > 0)) {
      return Error(Code::kDeadlineExceeded, "no message came");
    }
    return Error(Code::kCancelled, std::string("the subscription has ended: ") + natsStatus_GetText(status));
  }

  void Drain() override {
    if (draining_.exchange(true)) return;
    // Without a connection there is no rest to wait for: what was received is returned, then the waits time out.
    if (connection_->connected()) (void)natsSubscription_DrainTimeout(handle_, kDrainTimeoutMs);
  }

  std::uint64_t Dropped() const override {
    std::int64_t dropped = 0;
    return natsSubscription_GetDropped(handle_, &dropped) == NATS_OK ? static_cast<std::uint64_t>(dropped) : 0;
  }

 private:
  const std::shared_ptr<NatsConnection> connection_;
  natsSubscription* const handle_;
  natsMsg* current_ = nullptr;
  std::atomic<bool> draining_{false};
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
