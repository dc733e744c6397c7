// Port: the transport that carries envelopes between streams and data pipelines.
//
// An envelope is one serialized connector.v1.TransportMessage. Core makes and reads envelopes (envelope.h); a
// transport moves bytes and never looks inside.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/core/error.h"

namespace kps {

struct Header {
  std::string_view name;
  std::string_view value;
};

// What is published: one envelope, and what a transport that can carry it has beside it.
struct Outgoing {
  std::string_view envelope;
  // A transport that keeps messages keeps one of those with the same id, as far as it remembers. Empty: none.
  std::string_view message_id = {};
  std::span<const Header> headers = {};
};

// Publishes the envelopes of one ingress stream on one channel. Used by one thread at a time.
//
// Each accepted envelope gets a ticket: 1, 2, 3, ... An envelope is safe once Confirmed() has reached its ticket.
// After an error from AwaitConfirmed or Publish, every unconfirmed envelope may be lost: the caller publishes them
// again, in order (they get new tickets).
class Publisher {
 public:
  virtual ~Publisher() = default;

  // Hands over one envelope and returns its ticket. The bytes are copied before it returns. May block for a short
  // while when the transport is congested.
  // UNAVAILABLE: not connected. RESOURCE_EXHAUSTED: a subscriber's queue, or the server, is slow. INVALID_ARGUMENT: the
  // envelope is larger than the transport allows and will never be accepted. PERMISSION_DENIED: the transport refuses
  // the channel, and will until this publisher is opened again; AwaitConfirmed says it, too.
  virtual Result<std::uint64_t> Publish(const Outgoing& outgoing) = 0;
  Result<std::uint64_t> Publish(std::string_view envelope) { return Publish(Outgoing{.envelope = envelope}); }

  // The highest ticket up to which everything is confirmed. Does not block.
  virtual std::uint64_t Confirmed() const = 0;

  // Waits until Confirmed() >= ticket. DEADLINE_EXCEEDED: not yet, nothing is lost. ABORTED: the connection was
  // lost in between; publish again what is not confirmed.
  virtual Error AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) = 0;
};

// One envelope as received. The bytes are valid until the next Receive on the same subscription, or until its receipt
// is acknowledged.
struct Delivery {
  std::string_view envelope;
  std::uint64_t receipt = 0;  // 1, 2, 3, ... in the order of this subscription
};

// Receives the envelopes of one channel for one egress stream.
class Subscription {
 public:
  virtual ~Subscription() = default;

  // Waits for the next envelope. DEADLINE_EXCEEDED: none came in time. CANCELLED: Drain was called and everything that
  // had arrived before has been returned. Any other error ends the subscription; but where the transport keeps
  // messages, one that is transient does not: it may be asked again. One thread.
  virtual Result<Delivery> Receive(std::chrono::milliseconds timeout) = 0;
  // The next one, if it is here already. What was given since the last Receive stays valid. Of the same thread.
  virtual std::optional<Delivery> ReceiveMore() { return std::nullopt; }

  // Everything up to this receipt has been dealt with, and need not come again. Until then it does, when the
  // subscription or its host ends. Of the thread that receives. A transport that keeps nothing takes no notice.
  virtual void Acknowledge(std::uint64_t receipt) = 0;
  // What was received and is not acknowledged is to come again, in its order, also to this subscription, under new
  // receipts. Of the thread that receives. False: the transport keeps nothing, so it does not.
  virtual bool Return() = 0;

  // No further envelopes are accepted; Receive returns the remaining ones and then CANCELLED. Any thread. A Receive
  // that is waiting returns early.
  virtual void Drain() = 0;

  // Messages that were lost because this subscription was too slow, since it was opened. Any thread.
  virtual std::uint64_t Dropped() const = 0;
};

// What went wrong on a transport since it was made. Only counted up.
struct TransportCounters {
  std::uint64_t connect_errors = 0;  // attempts to connect that failed
  std::uint64_t publish_errors = 0;  // envelopes that Publish did not accept, except for a full queue
  std::uint64_t reconnects = 0;      // connections after the first one
};

// A connection to the transport. Its methods may be called from any thread. Publishers and subscriptions are
// destroyed before their transport.
class Transport {
 public:
  virtual ~Transport() = default;

  // Neither call needs a connection to exist yet: a transport that is away is reconnected to for ever, and what was
  // opened meanwhile works from then on.
  virtual Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) = 0;
  // `name` is that of the subscriber, over restarts: a transport that keeps messages goes on where it was.
  virtual Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string& name) = 0;
  // What is published is kept for those who subscribe later; Subscribe may wait for the server then, for some seconds.
  virtual bool KeepsMessages() const { return false; }

  virtual bool Connected() const = 0;
  // Why Connected() is false, in a sentence; empty while connected.
  virtual std::string DisconnectReason() const = 0;
  // `watcher` is called with the state of the connection at once, and then at each change, by one thread at a time. It
  // must not call the transport. An empty function ends it: after that, the former watcher is not running and is not
  // called.
  virtual void WatchConnection(std::function<void(bool connected)> watcher) = 0;
  virtual TransportCounters Counters() const = 0;
  // Largest envelope the transport accepts, in bytes; 0: no limit known (yet).
  virtual std::size_t EnvelopeBytesMax() const = 0;
  // Which faults a confirm on the channel survives, in a sentence. Empty: nothing is kept, or it is not known yet; it
  // is once something was published or subscribed to there.
  virtual std::string Durability(const std::string&) const { return {}; }
};

}  // namespace kps
