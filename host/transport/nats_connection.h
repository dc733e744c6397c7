// The connection to NATS, shared by the transport, its publishers and its subscriptions. Internal to host/transport.
// A thread makes a link (nats_link.h) whenever there is none, and round trips whenever something waits to be confirmed.
//
// Confirms. An envelope is confirmed when a round trip that began after it was published has ended on the same server
// connection, which its epoch names. What was not confirmed when the epoch changed is lost, and its publisher is told.
//
// Order. Between the end of one server connection and the next, OnReconnecting waits for every publisher that is just
// publishing: so none can put an envelope on the next one before it has learned of what is lost. (With several servers
// libnats tries all but the last of them without asking; then only the time that a connect takes is in between.)
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/core/error.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/transport.h"
#include "host/transport/nats_link.h"

namespace kps {

class NatsPublisher;
class NatsSubscription;

class NatsConnection final : private NatsLink::Owner {
 public:
  static Result<std::shared_ptr<NatsConnection>> Open(NatsOptions options, Logger* logger);
  ~NatsConnection();

  const NatsOptions& options() const { return options_; }
  bool connected() const { return connected_; }
  std::string DisconnectReason() const;
  void Watch(std::function<void(bool connected)> watcher);
  TransportCounters Counters() const;
  void CountPublishError() { ++publish_errors_; }
  std::size_t max_payload() const { return max_payload_; }

  std::shared_ptr<NatsLink> link() const;

  // Any thread. A publisher is told of confirms and losses; a subscription is opened on each new link, also the first.
  void Add(NatsPublisher* publisher);
  void Remove(NatsPublisher* publisher);
  Error Add(NatsSubscription* subscription);
  void Remove(NatsSubscription* subscription);
  // Something was published: the thread has work. Cheap when it is awake.
  void WakeUp();

 private:
  NatsConnection(NatsOptions options, Logger* logger);
  void Run();
  enum class Work { kNone, kStop, kReplaceLink, kRoundTrip };
  Work WaitForWork();
  bool AnyOutstanding() KPS_REQUIRES(mutex_);
  // One round trip; what it confirms is told to the publishers.
  bool Confirm(NatsLink* link);
  Error ReplaceLink();
  void SetConnected(bool connected) KPS_REQUIRES(mutex_);

  void OnLinkChanged(NatsLink* link) override;
  void OnLinkError(const std::string& text) override;
  void OnPublishRefused(const std::string& channel) override;
  void OnConnectFailed() override { ++connect_errors_; }
  void OnReconnecting() override;

  const NatsOptions options_;
  const std::string shown_url_;  // without credentials
  Logger* const logger_;
  std::atomic<bool> connected_{false};
  std::atomic<std::size_t> max_payload_{0};
  std::atomic<bool> idle_{false};  // the thread waits for work
  std::atomic<std::uint64_t> connect_errors_{0};
  std::atomic<std::uint64_t> publish_errors_{0};
  std::atomic<std::uint64_t> connects_{0};

  Mutex subscriptions_mutex_;  // taken before mutex_
  std::vector<NatsSubscription*> subscriptions_ KPS_GUARDED_BY(subscriptions_mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::shared_ptr<NatsLink> link_ KPS_GUARDED_BY(mutex_);
  std::string reason_ KPS_GUARDED_BY(mutex_);
  std::string last_error_ KPS_GUARDED_BY(mutex_);
  std::vector<NatsPublisher*> publishers_ KPS_GUARDED_BY(mutex_);
  std::function<void(bool connected)> watcher_ KPS_GUARDED_BY(mutex_);
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace kps
