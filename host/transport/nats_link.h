// One connection to one NATS server, from its connect to its end. Internal to host/transport.
//
// A link does not reconnect: when it has ended, NatsConnection makes the next one. libnats does not get to reconnect
// either (why: nats_loop.h), but stays about to. So the subscriptions of a link that has ended still give what had
// arrived, unless it was the server that ended it with an error.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/mutex.h"
#include "host/transport/nats_loop.h"
#include "host/transport/nats_refusals.h"
#include "host/transport/nats_transport.h"

typedef struct __natsConnection natsConnection;
typedef struct __natsSubscription natsSubscription;

namespace kps {

class NatsLink {
 public:
  // Called on threads of libnats's, one call at a time. None of them may release a link.
  class Owner {
   public:
    virtual void OnLinkEnded() = 0;  // the link says which: ended()
    virtual void OnLinkError(const std::string& text) = 0;
    virtual void OnRefused(const NatsRefusal& refusal) = 0;

   protected:
    ~Owner() = default;
  };

  // Connects to `url`, which names one server. `serial` is that of no earlier link. `owner` outlives the link. Takes up
  // to 2 s. INVALID_ARGUMENT: the URL cannot be used. UNAVAILABLE: no connection, for the reason in the text.
  static Result<std::shared_ptr<NatsLink>> Open(const std::string& url, const std::string& client_name,
                                                std::uint64_t serial, Owner* owner);
  // Closes the connection. Its subscriptions have been destroyed. Not with a lock that the owner takes when it is
  // called.
  ~NatsLink();
  NatsLink(const NatsLink&) = delete;
  NatsLink& operator=(const NatsLink&) = delete;

  natsConnection* handle() const { return handle_; }
  std::uint64_t serial() const { return serial_; }

  // The connection has gone. What was published before and is not confirmed may be lost; nothing is accepted after.
  bool over() const { return loop_->over(); }
  // It has gone, and the owner was told or is just being told.
  bool ended() const { return ended_; }

  // Gives up a subscription of this link, also while messages for it arrive.
  void Destroy(natsSubscription* subscription);
  // Subscribes to `subject`, without a limit on what waits to be taken. Null: the link is over. It keeps the link, and
  // is destroyed with its last owner.
  static std::shared_ptr<natsSubscription> Subscribe(const std::shared_ptr<NatsLink>& link, const std::string& subject);

  // For NatsLoop::WriteAtOnce.
  NatsLoop* loop() const { return loop_.get(); }

  // Before a message of so many bytes is published: waits a moment where the server is slow to take what was published
  // before. False: it is still slow.
  bool WaitForRoom(std::size_t bytes);
  std::size_t MaxPayload() const;

  // The answer to a request, or UNAVAILABLE: none came in time, or the link ended. NOT_FOUND: nobody answers there. Any
  // thread but libnats's. libnats has requests of its own, but their answers come to a subscription that it destroys as
  // it closes the connection, without regard to what is being read (3.4.1).
  Result<std::string> Request(const std::string& subject, const std::string& text, std::chrono::milliseconds timeout);

  // One round trip. True: the server has processed all that was published before, unless the owner was told of a
  // refusal. False: the link is over, or the answer is late: then the next call waits longer, up to 8 s. The link ends
  // where nothing at all came for as long: the server hangs. One that only answers late is busy, as nats-server is after
  // a restart with large streams. One thread at a time.
  bool RoundTrip();

 private:
  struct Callbacks;
  NatsLink(std::uint64_t serial, Owner* owner, std::unique_ptr<NatsLoop> loop);
  Error Connect(const std::string& url, const std::string& client_name);
  void End();

  const std::uint64_t serial_;
  std::unique_ptr<NatsLoop> loop_;
  natsConnection* handle_ = nullptr;
  std::atomic<bool> ended_{false};
  std::chrono::milliseconds patience_;  // of the next round trip
  std::atomic<std::uint32_t> unchecked_bytes_{0};  // published since the last look at what waits to be written

  Mutex mutex_;
  CondVar changed_;
  Owner* owner_ KPS_GUARDED_BY(mutex_);         // null: being destroyed
  bool closed_ KPS_GUARDED_BY(mutex_) = false;  // libnats has made its last callback
};

// A subject that nobody else uses.
std::string NewInbox();

}  // namespace kps
