// The batches of an ingress stream that are on their way: encoded, published, not yet confirmed. A ring of slots whose
// buffers are reused, so that nothing is allocated per message once warm. An envelope carries one message, or several
// of one batch.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/plugin.h"
#include "host/core/transport.h"

namespace kps {

class Window {
 public:
  struct Limits {
    std::size_t batches_max = 64;
    std::size_t bytes_max = 8 * 1024 * 1024;  // of envelopes; one batch is accepted whatever its size
    std::size_t envelope_messages_max = 1;
  };
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Confirmed {
    std::optional<std::uint64_t> token;  // none: the consumer that gave it is gone
    std::string_view position;           // valid until the next call
    std::size_t message_count;
    TimePoint accepted_at;
  };

  // Messages with an id are published under `run` and the id: two runs are two sequences of messages. The rest is
  // numbered under `own`, which no other window has. The id of an envelope with several has their number as well, so
  // that it names these and no others: those of another window, which may begin elsewhere, are not known by it. With an
  // empty `own` nothing has an id: for a transport that knows none.
  Window(Limits limits, std::string run, std::string own);

  bool empty() const { return size_ == 0; }
  // No room: the consumer must not be called.
  bool full() const { return size_ == slots_.size() || bytes_ >= limits_.bytes_max; }

  // Messages that are on their way, or wait to be.
  std::size_t message_count() const;
  double use() const { return static_cast<double>(size_) / static_cast<double>(slots_.size()); }
  // Only when not empty.
  TimePoint oldest_accepted_at() const { return Slot(0).accepted_at; }
  const std::string& newest_position() const { return Slot(size_ - 1).position; }

  // Encodes `batch` as the newest slot. Messages without a timestamp get `now_ns`. Several share an envelope only if
  // they have the same timestamp, and all or none have an id, and as long as it has at most so many bytes (0: any
  // number).
  void Push(const Batch& batch, std::int64_t now_ns, TimePoint accepted_at = {}, std::size_t envelope_bytes_max = 0);
  // The consumer is another: the tokens of the last one mean nothing to it.
  void ForgetTokens();

  // Publishes what has not been published, oldest first, until all is or the publisher refuses. On an error the same
  // envelope is the next one of the next call.
  Error PublishTo(Publisher* publisher);
  // The envelope that PublishTo was refused for can never be accepted. Where it has several messages, it is split in
  // two, which may be. False: it has one.
  bool SplitRefused();
  // Drops it. Returns its size in bytes.
  std::size_t SkipRefused();
  // Everything unconfirmed is to be published again.
  void Rewind();

  // Ticket of the newest, and of the oldest batch. Only when not empty and everything is published.
  std::uint64_t NewestTicket() const { return Slot(size_ - 1).ticket; }
  std::uint64_t OldestTicket() const { return Slot(0).ticket; }

  // Takes away the oldest batch when it is confirmed: all of its envelopes are published, and their tickets are at most
  // `ticket`. False: it is not.
  bool PopConfirmed(std::uint64_t ticket, Confirmed* confirmed);

 private:
  // Where an envelope and its id are in the buffers of its slot.
  struct Item {
    std::size_t envelope;
    std::size_t envelope_size;
    std::size_t id;
    std::size_t id_size;
    std::size_t messages;
  };
  struct SlotData {
    std::string envelopes;  // back to back
    std::string ids;        // likewise
    std::vector<Item> items;
    std::size_t published = 0;  // leading items that are
    std::uint64_t ticket = 0;   // of the last one published, in it or before it, when all are; 0: none
    std::optional<std::uint64_t> token;
    std::string position;
    TimePoint accepted_at;
  };

  SlotData& Slot(std::size_t i) { return slots_[(first_ + i) % slots_.size()]; }
  const SlotData& Slot(std::size_t i) const { return slots_[(first_ + i) % slots_.size()]; }

  static Outgoing View(const SlotData& slot, const Item& item);
  static std::size_t MessagesOf(const SlotData& slot);
  void Finish(Item item, std::string_view id, SlotData* slot);
  void AppendId(std::string_view id, std::size_t messages, std::string* ids);

  const Limits limits_;
  const std::string run_;
  const std::string own_;
  std::uint64_t numbered_ = 0;
  std::vector<SlotData> slots_;
  std::size_t first_ = 0;  // oldest slot
  std::size_t size_ = 0;   // slots in use
  std::size_t next_ = 0;   // slots, from the oldest, that are published whole
  std::size_t bytes_ = 0;
  std::uint64_t last_ticket_ = 0;  // since the start or the last Rewind
};

}  // namespace kps
