// Follows every message of an egress stream from the channel to what the producer has flushed, and says which promise
// is broken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/faulty_transport.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

class EgressCheck : public TransportWitness {
 public:
  struct Options {
    std::size_t envelopes = 1;
    bool keeping = true;        // the transport
    bool dead_letters = false;  // what can never be delivered goes to a channel; else it is dropped
  };
  EgressCheck(Options options, Simulation* simulation);
  // Feeds the envelopes: of one message, or several, or none that can be read.
  void FeedTo(FaultyTransport* transport) const;

  // The producer.
  bool IsRefused(std::size_t message) const { return messages_[message].refused; }
  std::size_t IndexOf(std::string_view payload);
  void OnRefused(std::size_t message) { messages_[message].told = true; }
  void OnTaken(std::size_t message);
  void OnFlushed();
  void OnProducerGone();  // with what it took and did not flush
  void OnProducerCreated() { failed_ = false; }
  void OnProducerFailed() { failed_ = true; }  // for good
  // With what it received and did not deliver. In order: it had the time, and nothing came between. A dead letter for
  // which the transport is not connected is in the way of all that comes after it.
  void OnHostEnded(bool in_order, bool connected);

  void OnArrived(const std::string& channel, std::string_view envelope) override;
  void OnConfirmTold(std::uint64_t publisher, std::string_view envelope) override;
  void OnReceived(std::size_t envelope) override;
  void OnAcknowledged(std::size_t envelope) override;
  void OnLost(std::size_t envelope) override;

  void Finish();
  std::uint64_t sent() const { return messages_.size(); }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t deliveries() const { return delivered_ + duplicates_; }
  std::uint64_t lost() const { return lost_; }  // though it was not to be
  std::uint64_t refused() const;
  std::uint64_t given_up() const;  // lost, as what is not kept may be

 private:
  struct Message {
    bool refused = false;  // can never be taken
    bool told = false;     // and the host knows
    bool received = false;
    bool taken = false;
    bool dead_arrived = false;    // its dead letter
    bool dead_confirmed = false;  // and the host was told
    bool excused = false;         // it may be lost
    std::uint64_t deliveries = 0;
  };
  struct Envelope {
    std::size_t first;
    std::size_t end;
    bool malformed;
  };

  void Break(const std::string& what, std::size_t message);

  std::vector<std::size_t> IndexesOf(std::string_view envelope) const;
  bool GivenUp(const Message& message) const { return message.told && !options_.dead_letters; }

  const Options options_;
  Simulation* const simulation_;
  std::vector<Message> messages_;
  std::vector<Envelope> envelopes_;
  std::vector<std::size_t> buffer_;  // taken, not flushed
  bool failed_ = false;
  std::size_t next_taken_ = 0;
  std::size_t next_delivered_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace kps::faults
