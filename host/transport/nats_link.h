// One libnats connection. Internal to host/transport.
//
// libnats reconnects it by itself, for ever, and subscribes again before anything else is sent. What it does not mend
// ends the link, and NatsConnection makes the next one: the server refused the credentials twice, or broke the
// protocol.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/mutex.h"
#include "host/transport/nats_loop.h"
#include "host/transport/nats_transport.h"

typedef struct __natsConnection natsConnection;
typedef struct __natsSubscription natsSubscription;

namespace kps {

class NatsLink {
 public:
  // Called on a thread of libnats's, one call at a time.
  class Owner {
   public:
    virtual void OnLinkChanged(NatsLink* link) = 0;  // connected() or ended() is another
    virtual void OnLinkError(const std::string& text) = 0;
    virtual void OnPublishRefused(const std::string& channel) = 0;  // the server does not permit it
    virtual void OnConnectFailed() = 0;
    virtual void OnReconnecting() = 0;  // before each round of attempts

   protected:
    ~Owner() = default;
  };

  // Connects in the background. `serial` is higher than that of earlier links. INVALID_ARGUMENT: the URL cannot be
  // used.
  static Result<std::shared_ptr<NatsLink>> Open(const NatsOptions& options, std::uint32_t serial, Owner* owner);
  ~NatsLink();
  NatsLink(const NatsLink&) = delete;
  NatsLink& operator=(const NatsLink&) = delete;

  // Closes the connection. When it returns, the owner is not being called, and is not called any more.
  void Close();

  natsConnection* handle() const { return handle_; }
  std::uint32_t serial() const { return serial_; }
  bool connected() const { return connected_; }
  bool ended() const { return ended_; }

  // Gives up a subscription of this link, also while messages for it arrive.
  void Destroy(natsSubscription* subscription);

  // Names the server connection that the link has now: higher for each one, odd while there is one.
  std::uint64_t epoch() const { return std::uint64_t{serial_} << 32 | loop_->generation(); }
  static bool IsConnected(std::uint64_t epoch) { return (epoch & 1) != 0; }

  // Before a message of so many bytes is published: waits a moment where the server is slow to take what was published
  // before. False: it is still slow.
  bool WaitForRoom(std::size_t bytes);
  std::size_t MaxPayload() const;

  // One round trip. True: the server has processed all that was published before, unless the epoch has changed
  // meanwhile or the owner was told of a refusal. One thread at a time.
  bool RoundTrip();

 private:
  struct Callbacks;
  NatsLink(std::uint32_t serial, Owner* owner, std::unique_ptr<NatsLoop> loop);
  Error Connect(const NatsOptions& options, const std::shared_ptr<NatsLink>& self);
  std::int64_t NextReconnectDelayMs(int attempt);

  const std::uint32_t serial_;
  std::unique_ptr<NatsLoop> loop_;
  natsConnection* handle_ = nullptr;
  std::atomic<bool> connected_{false};
  std::atomic<bool> ended_{false};
  std::atomic<std::uint32_t> unchecked_bytes_{0};  // published since the last look at what waits to be written

  Mutex mutex_;
  Owner* owner_ KPS_GUARDED_BY(mutex_);                    // null: closed
  std::shared_ptr<NatsLink> self_ KPS_GUARDED_BY(mutex_);  // until libnats has made its last callback
};

}  // namespace kps
