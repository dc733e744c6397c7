#include "host/transport/memory_transport.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "host/core/channel.h"
#include "host/core/mutex.h"
#include "host/transport/memory_queue.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using QueuePtr = std::shared_ptr<MemoryQueue>;

// Who has subscribed to what. Publishers keep the queues that match and look again only when the version has changed,
// so that publishing takes no lock that streams share.
class Registry {
 public:
  void Add(std::string pattern, QueuePtr queue) {
    MutexLock lock(mutex_);
    subscriptions_.emplace_back(std::move(pattern), std::move(queue));
    ++version_;
  }
  void Remove(const QueuePtr& queue) {
    MutexLock lock(mutex_);
    std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second == queue; });
    ++version_;
  }
  std::uint64_t version() const { return version_; }
  std::vector<QueuePtr> Match(std::string_view channel) const {
    MutexLock lock(mutex_);
    std::vector<QueuePtr> queues;
    for (const auto& [pattern, queue] : subscriptions_) {
      if (ChannelMatches(pattern, channel)) queues.push_back(queue);
    }
    return queues;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::pair<std::string, QueuePtr>> subscriptions_ KPS_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> version_{1};
};

class MemoryPublisher : public Publisher {
 public:
  MemoryPublisher(std::shared_ptr<Registry> registry, std::string channel, milliseconds wait)
      : registry_(std::move(registry)), channel_(std::move(channel)), wait_(wait) {}

  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    const std::string_view envelope = outgoing.envelope;
    if (const auto version = registry_->version(); version != version_) {
      queues_ = registry_->Match(channel_);
      version_ = version;
    }
    // First room everywhere, then the pushes: all or nothing, so that a retry makes no duplicate.
    const auto deadline = steady_clock::now() + wait_;
    reserved_.clear();
    for (const QueuePtr& queue : queues_) {
      const auto reservation = queue->Reserve(envelope.size(), deadline);
      if (reservation == MemoryQueue::Reservation::kMade) reserved_.push_back(queue.get());
      if (reservation != MemoryQueue::Reservation::kFull) continue;
      for (MemoryQueue* made : reserved_) made->Cancel(envelope.size());
      return Error(Code::kResourceExhausted, "a subscriber of channel " + channel_ + " is slow: its queue is full");
    }
    for (MemoryQueue* queue : reserved_) queue->Push(envelope);
    return ++confirmed_;
  }

  std::uint64_t Confirmed() const override { return confirmed_; }

  Error AwaitConfirmed(std::uint64_t ticket, milliseconds) override {
    if (ticket <= confirmed_) return {};
    return Error(Code::kDeadlineExceeded, "nothing was published under this ticket");
  }

 private:
  const std::shared_ptr<Registry> registry_;
  const std::string channel_;
  const milliseconds wait_;
  std::uint64_t version_ = 0;
  std::vector<QueuePtr> queues_;
  std::vector<MemoryQueue*> reserved_;
  std::uint64_t confirmed_ = 0;
};

class MemorySubscription final : public Subscription {
 public:
  MemorySubscription(std::shared_ptr<Registry> registry, QueuePtr queue)
      : registry_(std::move(registry)), queue_(std::move(queue)) {}
  ~MemorySubscription() override { Drain(); }

  Result<Delivery> Receive(milliseconds timeout) override {
    given_ = 0;
    switch (queue_->Pop(NextBuffer(), steady_clock::now() + timeout)) {
      case MemoryQueue::Take::kTaken: return Delivery{buffers_[given_++]};
      case MemoryQueue::Take::kTimeout: return Error(Code::kDeadlineExceeded, "no message came");
      case MemoryQueue::Take::kClosed: break;
    }
    return Error(Code::kCancelled, "the subscription is drained");
  }

  std::optional<Delivery> ReceiveMore() override {
    if (queue_->Pop(NextBuffer(), {}) != MemoryQueue::Take::kTaken) return std::nullopt;
    return Delivery{buffers_[given_++]};
  }

  void Acknowledge(std::uint64_t) override {}
  bool Return() override { return false; }

  void Drain() override {
    registry_->Remove(queue_);
    queue_->Close();
  }

  std::uint64_t Dropped() const override { return 0; }  // a full queue blocks the publisher instead

 private:
  std::string* NextBuffer() {
    if (given_ == buffers_.size()) buffers_.emplace_back();
    return &buffers_[given_];
  }

  const std::shared_ptr<Registry> registry_;
  const QueuePtr queue_;
  std::deque<std::string> buffers_;  // of what was given since the last Receive, and to be used again
  std::size_t given_ = 0;
};

class MemoryTransport : public Transport {
 public:
  explicit MemoryTransport(MemoryTransportOptions options) : options_(options) {}

  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    return std::unique_ptr<Publisher>(new MemoryPublisher(registry_, channel, options_.publish_wait));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string&) override {
    auto queue = std::make_shared<MemoryQueue>(options_.queue_envelopes_max, options_.queue_bytes_max);
    registry_->Add(channel, queue);
    return std::unique_ptr<Subscription>(new MemorySubscription(registry_, std::move(queue)));
  }
  bool Connected() const override { return true; }
  std::string DisconnectReason() const override { return {}; }
  void WatchConnection(std::function<void(bool connected)> watcher) override {
    if (watcher) watcher(true);
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  const MemoryTransportOptions options_;
  const std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
};

}  // namespace

std::unique_ptr<Transport> MakeMemoryTransport(MemoryTransportOptions options) {
  return std::make_unique<MemoryTransport>(options);
}

}  // namespace kps
