// Follows every message of an ingress stream from the source to the server, and says which promise is broken.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/faults/faulty_transport.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

class IngressCheck : public TransportWitness {
 public:
  struct Options {
    std::size_t messages = 1;
    bool resumes = true;   // the source goes on at a position; else at what was not acknowledged to it
    bool has_ids = false;  // its messages have
    bool stores = false;   // the host has a state store
  };

  IngressCheck(Options options, Simulation* simulation);

  const Options& options() const { return options_; }
  // Messages are "0", "1", ...; some are too large for the transport.
  std::string Payload(std::size_t message) const;
  std::size_t acknowledged() const { return acknowledged_; }
  // Leading messages that are safe in the transport, as far as the host was told, or can never be.
  std::size_t Safe();
  bool Complete(std::size_t stored);

  // The source.
  void OnRead(std::size_t first, std::size_t end);
  void OnSourceAcknowledged(std::size_t count, std::size_t stored);
  // The state store, and what the host begins with.
  void OnHandedOver(std::size_t count);
  void OnRestart(bool run_goes_on);

  void OnAccepted(std::uint64_t publisher, const Outgoing& outgoing) override;
  void OnLossTold(std::uint64_t) override { begins_again_ = true; }
  void OnTooLarge(std::string_view envelope) override;
  void OnArrived(const std::string& channel, std::string_view envelope) override;
  void OnConfirmTold(std::uint64_t publisher, std::string_view envelope) override;

  void Finish();
  std::uint64_t read() const { return read_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Message {
    bool too_large = false;
    bool refused = false;            // and the host was told
    bool confirmed = false;          // likewise
    std::uint64_t confirmed_by = 0;  // the publisher
    std::uint64_t arrivals = 0;
    std::size_t batch_end = 0;
    std::string id;
    std::uint64_t id_scope = 0;
  };

  std::size_t IndexOf(std::string_view envelope);
  void CheckId(std::size_t index, std::uint64_t publisher, std::string_view id);
  // The first at or after `index` that can be delivered.
  std::size_t Deliverable(std::size_t index) const;
  void Break(const std::string& what, std::size_t message);

  const Options options_;
  Simulation* const simulation_;
  std::vector<Message> messages_;
  std::map<std::string, std::size_t, std::less<>> ids_;
  std::size_t safe_ = 0;
  std::size_t acknowledged_ = 0;
  std::size_t handed_over_ = 0;
  std::uint64_t publisher_ = 0;  // the last that was used
  bool begins_again_ = false;    // publishing, at what is not safe
  std::size_t next_published_ = 0;
  std::size_t next_arrival_ = 0;
  std::uint64_t runs_ = 1;
  std::uint64_t read_ = 0;  // also what was read twice
  std::uint64_t delivered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace kps::faults
