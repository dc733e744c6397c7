// One connection to NATS, shared by the transport, its publishers and its subscriptions. Internal to host/transport.
//
// Confirms. An envelope is confirmed when a round trip (PING, PONG) that began after it was published has ended on the
// same connection. "Same" is decided by an epoch: libnats's count of reconnects. A publisher tags what it publishes with
// the epoch it knows, which may lag behind and never runs ahead; a round trip confirms only what carries the epoch that
// was true both before and after it. So an envelope that went into a connection that broke is never taken for safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/core/error.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/transport/nats_transport.h"

typedef struct __natsConnection natsConnection;
typedef struct __natsOptions natsOptions;
typedef struct __natsSubscription natsSubscription;

namespace kps {

class NatsPublisher;

class NatsConnection {
 public:
  static Result<std::shared_ptr<NatsConnection>> Open(NatsOptions options, Logger* logger);
  ~NatsConnection();

  natsConnection* handle() const { return handle_; }
  const NatsOptions& options() const { return options_; }
  bool connected() const { return connected_; }
  std::string DisconnectReason() const;
  void Watch(std::function<void(bool connected)> watcher);
  std::uint64_t epoch() const { return epoch_; }
  std::size_t max_payload() const { return max_payload_; }

  // Publishers that are to be confirmed. Any thread.
  void Add(NatsPublisher* publisher);
  void Remove(NatsPublisher* publisher);
  // Something was published: the confirmer has work. Any thread; cheap when the confirmer is awake.
  void WakeConfirmer();

 private:
  NatsConnection(NatsOptions options, Logger* logger);
  Error Connect();
  void Confirm();
  bool AnyOutstanding() KPS_REQUIRES(mutex_);
  // One round trip; what it confirms is told to the publishers. False: it failed.
  bool RoundTrip();
  std::uint64_t ReadEpoch(natsConnection* handle) const;

  // Called by libnats, on a thread of its own.
  void OnConnected(natsConnection* handle);  // may come before handle_ is set
  void OnDisconnected();
  void OnError(int status);
  void OnClosed();
  struct Callbacks;

  const NatsOptions options_;
  const std::string shown_url_;  // without credentials
  Logger* const logger_;
  natsConnection* handle_ = nullptr;
  std::atomic<bool> connected_{false};
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<std::size_t> max_payload_{0};
  std::atomic<bool> confirmer_idle_{false};

  mutable Mutex mutex_;
  CondVar changed_;
  std::string reason_ KPS_GUARDED_BY(mutex_);
  std::vector<NatsPublisher*> publishers_ KPS_GUARDED_BY(mutex_);
  std::function<void(bool connected)> watcher_ KPS_GUARDED_BY(mutex_);
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;
  bool closed_ KPS_GUARDED_BY(mutex_) = false;
  std::string last_error_ KPS_GUARDED_BY(mutex_);

  std::thread confirmer_;
};

}  // namespace kps
