// What a stream says of the messages that one publisher has published. Internal to host/transport.
//
// Each message asks for its answer at a subject that ends in its ticket, so nothing is to be looked up, and the answers
// wait in a subscription until the publisher's thread takes them: no thread is in between. js_PublishMsgAsync of
// libnats keeps a copy and three more allocations for each message, brings a thread, and destroys its own subscription
// while an answer may be just coming in (3.4.1; nats_link.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/transport/jetstream_wire.h"
#include "host/transport/nats_link.h"

namespace kps {

class JetStreamAcks {
 public:
  // Nothing must be outstanding.
  bool Listen(const std::shared_ptr<NatsLink>& link);

  // A new ticket, and where its answer is to go to: valid until the next call.
  std::uint64_t Issue();
  const char* reply() const { return reply_.c_str(); }
  // The message of the newest ticket was not sent after all.
  void Withdraw();

  // Takes the answers that have come, and waits for the first as long as `timeout`.
  void Poll(std::chrono::milliseconds timeout);

  std::uint64_t confirmed() const { return confirmed_; }
  bool outstanding() const { return issued_ > resolved_; }
  // Since when no answer has come for what is outstanding.
  std::chrono::steady_clock::time_point waiting_since() const { return waiting_since_; }
  // The answer to something outstanding was a no: the first. Null: none was.
  const PubAck* refusal() const { return refused_ ? &refusal_ : nullptr; }
  // What is outstanding is given up: no answer to it counts any more.
  void GiveUp();

 private:
  void Take(std::uint64_t ticket, PubAck ack);
  void Confirm(std::uint64_t ticket);

  std::shared_ptr<natsSubscription> subscription_;
  std::string reply_;
  std::size_t inbox_bytes_ = 0;  // of reply_, to the dot before the ticket

  std::uint64_t issued_ = 0;
  std::uint64_t resolved_ = 0;  // confirmed up to here, or given up
  std::uint64_t confirmed_ = 0;
  std::deque<bool> answered_;  // of resolved_ + 1, + 2, ...: a yes came out of turn
  std::chrono::steady_clock::time_point waiting_since_{};
  bool refused_ = false;
  PubAck refusal_;
};

}  // namespace kps
