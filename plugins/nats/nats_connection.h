// One connection to one server, from its connect to its end. It does not reconnect: NatsClient makes the next one.
//
// libnats (3.4.1) brings threads of its own for a socket, but loses without a word what was buffered when a write timed
// out. It also knows event loops (natsOptions_SetEventLoop), and this is one, with one socket and one thread. With
// that, without libnats's reconnecting, its ping timer and its callbacks, no thread of libnats ever runs code of the
// plugin, which may therefore be unmapped as soon as its own threads are joined.
#ifndef KPS_PLUGINS_NATS_NATS_CONNECTION_H
#define KPS_PLUGINS_NATS_NATS_CONNECTION_H

#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <kps/plugin.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nats_errors.h"
#include "nats_settings.h"

namespace kps::plugins {

struct NatsDelete {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using NatsMessage = std::unique_ptr<natsMsg, NatsDelete>;

class NatsConnection {
 public:
  using Clock = std::chrono::steady_clock;
  // On the connection's thread: what has come, in order, to be taken. Nothing at all: nobody listens where a request
  // went whose answer was to come here. What it throws ends the connection.
  using Take = std::function<void(std::vector<NatsMessage>& came)>;

  // Connects, which takes up to 2 s, and the time of the name service. `changed` is called on the connection's thread
  // after something was read or written, and, with `over`, at its end. Throws Failure.
  NatsConnection(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name,
                 std::function<void(bool over)> changed);
  // Ends the connection, with what was published and not written yet.
  ~NatsConnection();
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;

  // Nothing is read or written any more. [any]
  bool over() const { return over_; }
  // Throws Failure: UNAVAILABLE, with the reason, when it is over; PERMISSION_DENIED when the server has refused
  // something, in the server's words. [any]
  void check();
  // Ends it, for this reason. [any]
  void fail(const plugin::Failure& reason);

  // To the connection's end. An empty group is none. [any]
  void subscribe(const std::string& subject, const std::string& queue_group, Take take);
  // `reply` may be null. Nothing happens when the connection is over. Throws Failure. [any]
  void publish(const char* subject, const char* reply, const void* data, size_t size);
  // Whether more should be published now: little waits to be written. [any]
  bool has_room();
  size_t payload_max() const;

  // What is published while one of these exists is written at its end, by this thread, or by the connection's where the
  // connection is encrypted. For one that is about to publish more than one message.
  class Cork {
   public:
    explicit Cork(NatsConnection& connection) : connection_(connection) { ++connection_.corks_; }
    ~Cork() {
      --connection_.corks_;
      connection_.write_soon();
    }
    Cork(const Cork&) = delete;
    Cork& operator=(const Cork&) = delete;

   private:
    NatsConnection& connection_;
  };

  // Whether the server has answered that it has processed all that was published before. Throws as check() does. [any]
  // but the connection's own.
  bool round_trip(std::chrono::milliseconds timeout);
  // Whether anything has come from the server since. [any]
  bool heard_since(Clock::time_point time) const { return heard_at_.load() >= time; }
  // The answer to a request. Nothing: nobody listens there. Throws Failure, UNAVAILABLE: none has come, or the
  // connection is over. [any] but the connection's own.
  std::optional<std::string> request(const std::string& subject, const std::string& text);

 private:
  struct Callbacks;
  struct Subscription {
    natsSubscription* handle;
    Take take;
  };

  void run(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name);
  void connect(const NatsBroker& broker, const NatsBroker::Server& server, const std::string& name);
  void loop();
  void read();
  void take_all(const Subscription& subscription);
  void write_now();
  void write_soon();
  void wake();
  void sever();
  // What the server or libnats has said last, if anything was wrong.
  std::string last_words(natsStatus* status);
  void look_for_refusal();

  std::function<void(bool over)> changed_;
  const std::string where_;
  const bool encrypted_;
  int wake_fd_ = -1;
  natsConnection* handle_ = nullptr;
  std::atomic<bool> over_{false};
  std::atomic<bool> refused_{false};
  std::atomic<bool> wants_write_{false};
  std::atomic<int> corks_{0};
  std::atomic<Clock::time_point> heard_at_{Clock::time_point{}};
  std::atomic<uint32_t> unwritten_{0};  // published since the last look at what waits to be written

  // Held while libnats uses the socket: it closes it, and uses TLS, without regard to another call that does.
  std::mutex io_mutex_;

  std::mutex mutex_;
  std::condition_variable connected_;
  int fd_ = -1;                       // libnats's; -1: none
  bool tried_ = false;                // to connect
  std::optional<NatsReason> reason_;  // of its end
  std::string refusal_;               // the server's words, once refused_
  std::vector<std::shared_ptr<const Subscription>> subscriptions_;

  std::thread thread_;
};

std::string new_inbox();

}  // namespace kps::plugins

#endif
