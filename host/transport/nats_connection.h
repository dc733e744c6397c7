// The connection to NATS, shared by the transport, its publishers and its subscriptions. Internal to host/transport.
// A thread makes a link (nats_link.h) whenever there is none, and round trips whenever something waits to be confirmed.
//
// Confirms. An envelope is confirmed when a round trip that began after it was published has ended on the same link.
// What is not confirmed when its link is over may be lost, and its publisher is told, before it can publish on the
// next: so the order is kept.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/core/backoff.h"
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
  const NatsRefusals& refusals() const { return refusals_; }
  void Watch(std::function<void(bool connected)> watcher);
  TransportCounters Counters() const;
  void CountPublishError() { ++publish_errors_; }
  std::size_t max_payload() const { return max_payload_; }

  void Warn(const std::string& text) const { logger_->Log(LogLevel::kWarn, "", text); }

  // Null: there was none yet. It may be over.
  std::shared_ptr<NatsLink> link() const;

  // Any thread. A publisher is told of confirms and losses; a subscription is opened on each new link, also the first.
  void Add(NatsPublisher* publisher);
  void Remove(NatsPublisher* publisher);
  Error Add(NatsSubscription* subscription);
  void Remove(NatsSubscription* subscription);
  // Something was published: the thread has work. Cheap when it is awake.
  void WakeUp();
  // Exists while somebody can do nothing but wait for a confirm. Any thread; none of its publishers' locks is held.
  class Waiting {
   public:
    explicit Waiting(NatsConnection* connection);
    ~Waiting() { --connection_->waiting_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    NatsConnection* const connection_;
  };

  // Something to be done every so often, by the connection's thread.
  class Chore {
   public:
    virtual void DoChore() = 0;  // must not block

   protected:
    ~Chore() = default;
  };
  // Any thread. After Remove it is not being done.
  void Add(Chore* chore);
  void Remove(Chore* chore);
  // At least so often, from now on.
  void DoChoresEvery(std::chrono::milliseconds interval);

 private:
  NatsConnection(NatsOptions options, std::vector<std::string> servers, Logger* logger);
  void Run();
  enum class Work { kNone, kStop, kConnect, kRoundTrip, kChores };
  Work WaitForWork();
  bool AnyOutstanding() KPS_REQUIRES(mutex_);
  bool stopping() const;
  void DoChores();
  // One round trip; what it confirms is told to the publishers.
  bool Confirm(NatsLink& link);
  void PauseAfterFailure();
  // One attempt with each server, until one takes it.
  Error Connect();
  void TakeOver(std::shared_ptr<NatsLink> link);
  void SetConnected(bool connected) KPS_REQUIRES(mutex_);

  void OnLinkEnded() override;
  void OnLinkError(const std::string& text) override;
  void OnRefused(const NatsRefusal& refusal) override;

  const NatsOptions options_;
  const std::string shown_url_;  // without credentials
  const std::vector<std::string> servers_;
  Logger* const logger_;
  std::atomic<bool> connected_{false};
  std::atomic<std::size_t> max_payload_{0};
  std::atomic<bool> idle_{false};     // the thread waits for work
  std::atomic<bool> pausing_{false};  // it waits before the next round trip, or is about to
  std::atomic<int> waiting_{0};       // for a confirm
  std::atomic<std::uint64_t> connect_errors_{0};
  std::atomic<std::uint64_t> publish_errors_{0};
  std::atomic<std::uint64_t> connects_{0};
  NatsRefusals refusals_;

  // Of the thread, after Open.
  std::size_t next_server_ = 0;
  std::uint64_t links_ = 0;  // that were tried
  Backoff backoff_;
  std::chrono::steady_clock::time_point next_connect_{};
  std::chrono::steady_clock::time_point next_heartbeat_{};

  Mutex subscriptions_mutex_;  // taken before mutex_
  std::vector<NatsSubscription*> subscriptions_ KPS_GUARDED_BY(subscriptions_mutex_);

  Mutex chores_mutex_;  // held while they are done
  std::vector<Chore*> chores_ KPS_GUARDED_BY(chores_mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::chrono::milliseconds chore_interval_ KPS_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point next_chores_ KPS_GUARDED_BY(mutex_){};
  std::shared_ptr<NatsLink> link_ KPS_GUARDED_BY(mutex_);
  std::string reason_ KPS_GUARDED_BY(mutex_);
  std::string last_error_ KPS_GUARDED_BY(mutex_);  // of the link
  std::vector<NatsPublisher*> publishers_ KPS_GUARDED_BY(mutex_);
  std::function<void(bool connected)> watcher_ KPS_GUARDED_BY(mutex_);
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point idle_since_ KPS_GUARDED_BY(mutex_){};
  std::chrono::steady_clock::time_point next_round_trip_ KPS_GUARDED_BY(mutex_){};  // not before it
  // Nor before this, where nobody waits.
  std::chrono::steady_clock::time_point unhurried_round_trip_ KPS_GUARDED_BY(mutex_){};

  std::thread thread_;
};

}  // namespace kps
