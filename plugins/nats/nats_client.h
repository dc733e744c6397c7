// Keeps a stream connected: makes one connection after the other, and waits for what comes.
//
// Its thread does what libnats only does by blocking: it connects, and makes round trips. So the thread of the stream
// waits for a descriptor alone, and a wake ends that at once.
#ifndef KPS_PLUGINS_NATS_NATS_CLIENT_H
#define KPS_PLUGINS_NATS_NATS_CLIENT_H

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <kps/plugin.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "nats_connection.h"

namespace kps::plugins {

class NatsClient {
 public:
  using Clock = NatsConnection::Clock;

  // Called on the client's thread.
  class Owner {
   public:
    virtual ~Owner() = default;
    // A connection is there: subscribes, and asks for what has to be known. Throws Failure: it is given up, and tried
    // again later.
    virtual void begin(NatsConnection& connection) = 0;
    // Every now and then (tend_every) while it lasts. Throws Failure as begin does.
    virtual void tend(NatsConnection& connection) { static_cast<void>(connection); }
  };

  NatsClient(const plugin::Stream& stream, NatsBroker broker, Owner* owner);
  ~NatsClient();  // stop()
  NatsClient(const NatsClient&) = delete;
  NatsClient& operator=(const NatsClient&) = delete;

  // Connects for the first time. Throws Failure when that fails, or takes too long. The owner must be complete, and
  // stops the client before it is not any more.
  void start();
  // After it, neither the owner is called nor what takes the messages of a subscription, unless somebody else holds the
  // connection.
  void stop();

  // Throws Failure while there is none.
  std::shared_ptr<NatsConnection> connection();
  // As connection(), but null while there is none.
  std::shared_ptr<NatsConnection> present();
  void tend_every(std::chrono::milliseconds interval);

  // Asks for a round trip; answered() says when it was made. It was made after what was published before on the
  // connection that is the present one both times.
  uint64_t ask_round_trip();
  bool answered(uint64_t ticket);

  // Waits for a change: something came, was answered or written, the connection is another. May return without one.
  plugin::Wait wait(Clock::time_point deadline);
  void changed();  // [any] ends a wait

 private:
  enum class Work { kStop, kConnect, kRoundTrip, kTend };

  void await_first();
  void run();
  Work await_work();
  void connect();
  bool begin_on(const NatsBroker::Server& server);  // false: stopping
  void make_round_trip();
  void tend();
  bool pause();

  const std::string name_;
  const int wake_fd_;
  const NatsBroker broker_;
  Owner* const owner_;
  const int changed_fd_;
  std::atomic<bool> has_changed_{false};

  std::mutex mutex_;
  std::condition_variable work_;
  std::shared_ptr<NatsConnection> connection_;  // null: none yet
  std::shared_ptr<NatsConnection> beginning_;   // of which begin has not returned
  std::optional<NatsReason> failure_;           // of the last attempt
  bool stopping_ = false;
  uint64_t asked_ = 0;
  uint64_t handled_ = 0;             // up to this: made, or failed
  uint64_t answered_ = 0;            // up to this: made
  std::chrono::milliseconds delay_;  // before the next attempt
  std::chrono::milliseconds tend_interval_;
  Clock::time_point next_tend_{};
  Clock::time_point next_heartbeat_{};

  // Of the thread.
  Clock::time_point begun_{};  // the connection

  std::thread thread_;
};

}  // namespace kps::plugins

#endif
