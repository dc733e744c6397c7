// A publisher on a NatsConnection, whose envelopes a JetStream stream keeps. Internal to host/transport.
//
// After a no of the stream, or none of its answers in time, everything unconfirmed is published again: first one
// envelope alone, and the others once the stream takes that. So a stream that is full is not flooded, and what comes
// later does not overtake what was refused, but for what was on its way at the first refusal.
#pragma once

#include <memory>
#include <string>

#include "host/core/transport.h"
#include "host/transport/jetstream_acks.h"
#include "host/transport/jetstream_streams.h"

namespace kps {

class JetStreamPublisher : public Publisher {
 public:
  JetStreamPublisher(std::shared_ptr<JetStreamStreams> streams, std::string channel);

  Result<std::uint64_t> Publish(const Outgoing& outgoing) override;
  std::uint64_t Confirmed() const override;
  Error AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) override;

 private:
  // PERMISSION_DENIED: the server does not permit the channel.
  Error CheckPermitted();
  // Makes link_ one that is not over, on which the stream is there.
  Error TakeLink();
  // Whether something outstanding is lost: then it is given up, and is to be told and shown.
  void Look();
  void Lose(std::string why);
  // ABORTED, once after a loss.
  Error TellLoss();
  // An envelope that was published alone: waits a moment for the stream's word on it.
  Error AwaitProbe();
  Error Describe(int status, const Outgoing& outgoing);

  const std::shared_ptr<JetStreamStreams> streams_;
  const std::string channel_;
  std::uint64_t refusals_seen_;
  bool refused_ = false;  // the channel
  const std::unique_ptr<JetStreamAcks> acks_;
  std::shared_ptr<NatsLink> link_;  // null: none yet
  std::string stream_;              // as found on link_; empty: to be looked for
  unsigned publishes_ = 0;          // since the answers were looked at

  bool probing_ = false;     // one envelope at a time, until one is confirmed
  std::uint64_t probe_ = 0;  // its ticket; 0: none is out
  std::string lost_;         // why, to be told to whoever publishes again; empty: nothing is lost, or that was told
  std::string to_show_;      // what Publish says once before it accepts anything again, so that its caller waits
};

}  // namespace kps
