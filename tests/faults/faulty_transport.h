// A transport in memory that uses everything the port allows it (host/core/transport.h), and breaks none of its
// promises.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/transport.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

// Sees what the server gets, and what the host is told of it.
class TransportWitness {
 public:
  virtual ~TransportWitness() = default;
  // `publisher` has accepted the envelope. It is one of 1, 2, 3, ...
  virtual void OnAccepted(std::uint64_t publisher, const Outgoing& outgoing) { (void)publisher, (void)outgoing; }
  virtual void OnTooLarge(std::string_view envelope) { (void)envelope; }
  virtual void OnArrived(const std::string& channel, std::string_view envelope) { (void)channel, (void)envelope; }
  // Everything that `publisher` has not told to be confirmed may be lost.
  virtual void OnLossTold(std::uint64_t publisher) { (void)publisher; }
  // `publisher` 0: together with a loss.
  virtual void OnConfirmTold(std::uint64_t publisher, std::string_view envelope) { (void)publisher, (void)envelope; }
  // By their places in what was fed, from 0.
  virtual void OnReceived(std::size_t envelope) { (void)envelope; }
  virtual void OnAcknowledged(std::size_t envelope) { (void)envelope; }
  virtual void OnLost(std::size_t envelope) { (void)envelope; }  // the transport keeps nothing, and says so
};

class FaultyTransport : public Transport {
 public:
  struct Options {
    std::size_t envelope_bytes_max = 0;
    bool keeping = true;  // of what is subscribed
  };

  FaultyTransport(Options options, Simulation* simulation, TransportWitness* witness)
      : options_(options), simulation_(simulation), witness_(witness) {}

  // What pipelines publish: the next envelope, and when. In the order of time.
  void Feed(std::string envelope, Time at) { fed_.push_back({std::move(envelope), at}); }
  // Called, on the stream's thread, when everything fed was received and, if it is kept, acknowledged.
  std::function<void()> when_drained;
  // The host is killed: a part of what it had on the wire arrives.
  void Kill();

  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override;
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string& name) override;
  bool KeepsMessages() const override { return options_.keeping; }
  bool Connected() const override;
  std::string DisconnectReason() const override { return Connected() ? "" : "unplugged"; }
  void WatchConnection(std::function<void(bool connected)> watcher) override {
    if (watcher) watcher(Connected());
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return options_.envelope_bytes_max; }

 private:
  friend class FaultyPublisher;
  friend class FaultySubscription;

  // A publisher as the connection sees it, which may outlive it.
  struct Sender {
    struct Open {
      std::uint64_t ticket;
      std::string envelope;
      Time confirmed_at;
      bool dropped;
    };
    std::uint64_t serial = 0;
    std::uint64_t issued = 0;
    std::uint64_t confirmed = 0;
    std::deque<Open> open;
    std::deque<Open> untold;  // confirmed, and the host was not told yet
    bool lost = false;        // the loss of what is open is to be told
  };
  struct OnWire {
    std::string channel;
    std::string envelope;
    Time arrives_at;
    int times;  // it arrives
  };
  struct Fed {
    std::string envelope;
    Time at;
  };

  // What is due by now has happened.
  void CatchUp();
  void MayDisconnect();
  // A part of the wire arrives, from its front.
  void BreakWire();
  void Arrive(const OnWire& envelope);
  void Send(Sender* sender, const std::string& channel, const Outgoing& outgoing);

  const Options options_;
  Simulation* const simulation_;
  TransportWitness* const witness_;
  std::uint64_t publishers_ = 0;
  std::vector<std::shared_ptr<Sender>> senders_;  // of this life of the host
  std::deque<OnWire> wire_;
  Time wire_until_{};  // the last of it arrives
  bool connected_ = true;
  Time back_at_{};

  std::vector<Fed> fed_;
  std::size_t next_ = 0;          // of fed_: the first not received
  std::size_t acknowledged_ = 0;  // leading ones of fed_
};

}  // namespace kps::faults
