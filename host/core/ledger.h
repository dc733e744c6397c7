// What became of the messages of one stream. At any time:
//
//   accepted = delivered + dead-lettered + dropped (by reason) + returned + in flight
//
// INGRESS: accepted is what next_msg gave, delivered what the transport has confirmed, returned what was given up
// before that, for a source that can resume to read again. EGRESS: accepted is what came in the channel's envelopes,
// delivered what the producer has taken and flushed, returned what the transport keeps and sends again.
//
// It is written by the stream's thread, a batch at a time, without a lock, and lives as long as the stream is desired:
// also while it is restarted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/core/metric_family.h"
#include "host/core/mutex.h"
#include "host/core/stream.h"

namespace kps {

enum class DropReason {
  kUndeliverable,  // the producer can never take it
  kTooLarge,       // for the transport
  kMalformed,      // no envelope
  kSlow,           // the transport had to drop it, because the stream is slower than its channel
  kUnflushed,      // taken by a producer that could not flush it, and had to go
  kStopped,        // still on its way when the stream had to end
};
inline constexpr std::size_t kDropReasons = 6;
const char* DropReasonName(DropReason reason);  // as in metrics: too_large

// Counts what was observed in fixed buckets. One thread observes.
class Distribution {
 public:
  explicit Distribution(std::vector<double> upper_bounds);
  void Observe(double value, std::uint64_t times = 1);
  HistogramValue Value() const;

 private:
  const std::vector<double> upper_bounds_;          // ascending
  std::vector<std::atomic<std::uint64_t>> counts_;  // of each bucket alone; the last is that of +Inf
  std::atomic<double> sum_{0};
};

class Ledger {
 public:
  struct Figures {
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t dead_lettered = 0;
    std::array<std::uint64_t, kDropReasons> dropped{};
    std::uint64_t returned = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t retries = 0;
    double oldest_in_flight_s = 0;
    double window_use = 0;  // 0 to 1
  };

  Ledger();

  // Of the stream's thread. Counts are of messages.
  void Accept(std::uint64_t count);
  void Deliver(std::uint64_t count, double latency_s);
  // Something that the stream never had in its hands.
  void Miss(DropReason reason, std::uint64_t count) {
    Add(&accepted_, count);
    Drop(reason, count);
  }
  void DeadLetter() { Add(&dead_lettered_, 1); }
  void Drop(DropReason reason, std::uint64_t count = 1) { Add(&dropped_[static_cast<std::size_t>(reason)], count); }
  void Return(std::uint64_t count) { Add(&returned_, count); }
  void Retry() { Add(&retries_, 1); }  // something that is transient made the stream wait
  // When the oldest message in flight was accepted, by the steady clock; 0: none is.
  void SetOldest(std::int64_t since_ns) { oldest_since_ns_.store(since_ns, std::memory_order_relaxed); }
  void SetWindowUse(double use) { window_use_.store(use, std::memory_order_relaxed); }

  // Any thread.
  Figures Read(std::int64_t now_ns) const;
  HistogramValue BatchSizes() const { return batch_sizes_.Value(); }
  HistogramValue Latencies() const { return latencies_.Value(); }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static void Add(Counter* counter, std::uint64_t count) {  // one writer
    counter->store(counter->load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  Counter accepted_{0};
  Counter delivered_{0};
  Counter dead_lettered_{0};
  std::array<Counter, kDropReasons> dropped_{};
  Counter returned_{0};
  Counter retries_{0};
  std::atomic<std::int64_t> oldest_since_ns_{0};
  std::atomic<double> window_use_{0};
  Distribution batch_sizes_;
  Distribution latencies_;
};

// The ledgers of the streams that are desired.
class Ledgers {
 public:
  // The one that is open already, or a new one. Any thread, as all of it.
  std::shared_ptr<Ledger> Open(const std::string& stream_id, Direction direction);
  void Close(const std::string& stream_id);
  // Messages of all of them that were dropped, for whatever reason.
  std::uint64_t Dropped() const;
  // kps_stream_..., with the labels stream and direction.
  std::vector<MetricFamily> Families(std::int64_t now_ns) const;

 private:
  struct Entry {
    Direction direction;
    std::shared_ptr<Ledger> ledger;
  };
  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
