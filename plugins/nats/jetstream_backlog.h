// The messages that a JetStream consumer has delivered and that are not acknowledged: those that wait for the host, and
// those that it has. They stay over any number of connections, so a reconnect doubles nothing that is here.
//
// What was on its way when a connection ended is not here, and the server would bring it late, after newer messages. So
// after a connect the server is asked for it (missing()), and what is newer waits until it has come.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_BACKLOG_H
#define KPS_PLUGINS_NATS_JETSTREAM_BACKLOG_H

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "jetstream_delivery.h"
#include "nats_connection.h"
#include "sequence_set.h"

namespace kps::plugins {

class JetStreamBacklog {
 public:
  using Clock = NatsConnection::Clock;
  struct Item {
    NatsMessage message;
    JetStreamDelivery delivery;
    uint64_t token = 0;            // of the batch that it went out with; 0: it waits
    Clock::time_point fresh_at{};  // since when the server waits for word of it
    uint32_t stream = 0;           // which of the streams that were seen its sequence is of
    bool unknown = false;          // the server does not know of the delivery: it is told nothing about it
    std::string newer_reply{};     // it has come again since it was unknown

    size_t size() const { return static_cast<size_t>(natsMsg_GetDataLength(message.get())); }
    const char* reply() const { return newer_reply.empty() ? natsMsg_GetReply(message.get()) : newer_reply.c_str(); }
  };

  // A message has come. kAcknowledged: it was acknowledged, and is to be so again. kHere: it is here already. kForeign:
  // it is no delivery. Only a new one is taken from the caller.
  enum class Arrival { kNew, kAcknowledged, kHere, kForeign };
  Arrival add(NatsMessage&& message, Clock::time_point now);

  // The next one for the host; null: none. take() gives it away, with the token of its batch.
  const Item* front(Clock::time_point now);
  const Item& take(uint64_t token);
  // Those of batches up to the token, oldest first, to be acknowledged.
  std::vector<Item> acknowledge(uint64_t token);

  // Those that are acknowledged, and those that are neither that nor here, of the sequences after `floor` up to `last`.
  struct Gap {
    std::vector<uint64_t> acknowledged;
    std::vector<uint64_t> missing;
    uint64_t here = 0;
  };
  Gap gap(uint64_t floor, uint64_t last) const;
  // So many messages, up to this sequence, are about to come: what is later waits for them until then.
  void expect(uint64_t count, uint64_t last, Clock::time_point until);
  // When front() is worth another look though nothing has come.
  Clock::time_point due() const { return expected_ > 0 ? expected_until_ : Clock::time_point::max(); }

  size_t waiting() const { return waiting_.size() + parked_.size(); }
  uint64_t waiting_bytes() const { return waiting_bytes_; }
  uint64_t newest() const { return newest_; }
  bool of_present_stream(const Item& item) const { return item.stream == stream_; }

  // The server was restarted, and may have lost what it did last: it has delivered messages up to `sequence`, and made
  // so many deliveries. It would take an acknowledgement of a later one for one of all before it, and never look at
  // theirs again (nats-server 2.9).
  void forget_deliveries_after(uint64_t sequence, uint64_t deliveries);
  // The stream is another: its sequences mean other messages.
  void forget_sequences();
  template <typename Each>
  void for_each_of_stream(Each each) {
    for (std::deque<Item>* items : {&given_, &waiting_}) {
      for (Item& item : *items) {
        if (item.stream == stream_) each(item);
      }
    }
    for (auto& [sequence, item] : parked_) each(item);
  }

 private:
  Item* find_here(uint64_t sequence);
  void unpark();

  std::deque<Item> given_;
  std::deque<Item> waiting_;
  std::map<uint64_t, Item> parked_;  // by sequence, while others are expected
  uint64_t waiting_bytes_ = 0;       // parked ones included
  uint64_t newest_ = 0;              // the highest sequence that has come
  uint32_t stream_ = 0;
  SequenceSet acknowledged_;

  uint64_t expected_ = 0;
  uint64_t expected_last_ = 0;
  Clock::time_point expected_until_{};
};

}  // namespace kps::plugins

#endif
