// What one JetStream subscription has received and not acknowledged. Internal to host/transport.
//
// It keeps the messages themselves, over any number of links, until they are acknowledged. So what is returned comes
// again at once and in its order, without the server, and a reconnect doubles nothing that is here.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "host/transport/jetstream_wire.h"

typedef struct __natsMsg natsMsg;

namespace kps {

class JetStreamBacklog {
 public:
  using Clock = std::chrono::steady_clock;
  using MessagePtr = std::unique_ptr<natsMsg, void (*)(natsMsg*)>;
  struct Item {
    MessagePtr message;
    std::size_t bytes = 0;
    DeliveredAs as;
    Clock::time_point refreshed_at;  // delivered, or said to be in progress
    std::uint32_t stream = 0;        // which of the streams that were seen its number is of
    bool stale = false;              // its consumer does not know of it: nothing is to be said about it
    std::string newer_reply{};       // it has come again since it was stale

    const char* reply() const;
  };

  std::size_t count() const { return queue_.size() + taken_.size() + parked_.size(); }
  std::size_t bytes() const { return bytes_; }

  // A message of the consumer has come. kAcknowledged: it was dealt with before, and is to be acknowledged again.
  // kHere: it is here already, and can be acknowledged by what came now if it was stale. kForeign: it is no delivery.
  // Only a new one is taken from the caller.
  enum class Arrival { kNew, kAcknowledged, kHere, kForeign };
  Arrival Add(MessagePtr&& message, Clock::time_point now);

  // The link is another. Deliveries that were on their way may be lost with the former, and would come late and out of
  // their order: once the next one shows that some are, `want` is called with the reply subject of each, and up to
  // `wait` is waited for them before anything later is given.
  void ExpectGap(std::function<void(const std::string& reply)> want, Clock::duration wait);

  // So many messages, up to this number, are about to come: what is later waits for them until then.
  void Expect(std::uint64_t count, std::uint64_t last, Clock::time_point until);
  // The one with the highest number that has come; 0: none.
  const DeliveredAs& newest() const { return newest_; }

  // The next one for the caller, who has taken it then; null: none. Its message is valid until it is acknowledged.
  const Item* Take(Clock::time_point now);
  // The receipt of the last one that was taken: 1, 2, 3, ...
  std::uint64_t receipt() const { return next_receipt_ - 1; }
  // Those that were taken up to the receipt are dealt with: `acknowledge` is called with the reply subject of each.
  using Tell = std::function<void(const char* reply)>;
  void Acknowledge(std::uint64_t receipt, const Tell& acknowledge);
  // The newest that were acknowledged: what was said of them may be lost with a link.
  void TellAgain(const Tell& acknowledge) const;
  // Those that were taken are to be taken again.
  void Return();

  // Everything that is here, in its order.
  void ForEach(const std::function<void(Item&)>& each);
  // The consumer is another: it knows nothing of what was delivered.
  void ForgetDeliveries();
  // The server was restarted, and may have lost what it did last: it has delivered messages up to the number
  // `stream_sequence`, and made so many deliveries. It would take an acknowledgement of a later one for one of all
  // before it, and never look at theirs again (nats-server 2.9).
  void ForgetDeliveriesAfter(std::uint64_t stream_sequence, std::uint64_t deliveries);
  // The stream is another: its numbers mean other messages.
  void ForgetNumbers();

 private:
  Item* FindHere(std::uint64_t stream_sequence);
  // Whether the message waits for others that are missing. `skipped`: deliveries before it that have not come.
  bool Parks(const Item& item, std::uint64_t skipped);
  void Unpark(Clock::time_point now);

  std::deque<Item> taken_;  // receipts up to next_receipt_ - 1
  std::deque<Item> queue_;
  std::uint64_t next_receipt_ = 1;
  std::size_t bytes_ = 0;

  std::uint32_t stream_ = 0;
  NumberSet acknowledged_;        // of this stream
  std::deque<std::string> told_;  // reply subjects of the newest of them
  DeliveredAs newest_;            // the highest that has come
  std::uint64_t last_consumer_sequence_ = 0;

  std::function<void(const std::string&)> want_;  // null: no gap is expected
  Clock::duration gap_wait_{};
  std::map<std::uint64_t, Item> parked_;  // by stream sequence
  std::uint64_t missing_ = 0;             // before what is parked
  std::uint64_t missing_before_ = 0;      // of this stream sequence
  Clock::time_point parked_until_;
};

}  // namespace kps
