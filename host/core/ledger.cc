#include "host/core/ledger.h"

#include <algorithm>
#include <utility>

namespace kps {
namespace {

// Batches are bounded by what next_msg is asked for; latencies go from a fast round trip to a long outage.
const std::vector<double> kBatchSizeBounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
const std::vector<double> kLatencyBoundsS{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                          0.25,   0.5,   1,      2.5,   5,    10,    30,   60};

std::uint64_t Get(const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_acquire); }

}  // namespace

const char* DropReasonName(DropReason reason) {
  switch (reason) {
    case DropReason::kUndeliverable: return "undeliverable";
    case DropReason::kTooLarge: return "too_large";
    case DropReason::kMalformed: return "malformed";
    case DropReason::kSlow: return "slow";
    case DropReason::kUnflushed: return "unflushed";
    case DropReason::kStopped: return "stopped";
  }
  return "unknown";
}

Distribution::Distribution(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)), counts_(upper_bounds_.size() + 1) {}

void Distribution::Observe(double value, std::uint64_t times) {
  const auto bucket = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value) - upper_bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(times, std::memory_order_relaxed);
  sum_.store(sum_.load(std::memory_order_relaxed) + value * static_cast<double>(times), std::memory_order_relaxed);
}

HistogramValue Distribution::Value() const {
  HistogramValue value;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    value.count += counts_[i].load(std::memory_order_relaxed);
    if (i < upper_bounds_.size()) value.buckets.push_back({upper_bounds_[i], value.count});
  }
  value.sum = sum_.load(std::memory_order_relaxed);
  return value;
}

Ledger::Ledger() : batch_sizes_(kBatchSizeBounds), latencies_(kLatencyBoundsS) {}

void Ledger::Accept(std::uint64_t count) {
  Add(&accepted_, count);
  batch_sizes_.Observe(static_cast<double>(count));
}

void Ledger::Deliver(std::uint64_t count, double latency_s) {
  Add(&delivered_, count);
  latencies_.Observe(latency_s, count);
}

Ledger::Figures Ledger::Read(std::int64_t now_ns) const {
  Figures figures;
  // Accepted comes last: what is counted as gone was accepted before, so the rest is never less than nothing.
  figures.delivered = Get(delivered_);
  figures.dead_lettered = Get(dead_lettered_);
  for (std::size_t i = 0; i < kDropReasons; ++i) figures.dropped[i] = Get(dropped_[i]);
  figures.returned = Get(returned_);
  figures.accepted = Get(accepted_);
  std::uint64_t gone = figures.delivered + figures.dead_lettered + figures.returned;
  for (const std::uint64_t dropped : figures.dropped) gone += dropped;
  figures.in_flight = figures.accepted - gone;
  figures.retries = Get(retries_);
  const std::int64_t since_ns = oldest_since_ns_.load(std::memory_order_relaxed);
  if (since_ns > 0 && now_ns > since_ns) figures.oldest_in_flight_s = static_cast<double>(now_ns - since_ns) / 1e9;
  figures.window_use = window_use_.load(std::memory_order_relaxed);
  return figures;
}

std::shared_ptr<Ledger> Ledgers::Open(const std::string& stream_id, Direction direction) {
  MutexLock lock(mutex_);
  Entry& entry = entries_[stream_id];
  // Another direction is another stream, whose messages are others.
  if (!entry.ledger || entry.direction != direction) entry = {direction, std::make_shared<Ledger>()};
  return entry.ledger;
}

void Ledgers::Close(const std::string& stream_id) {
  MutexLock lock(mutex_);
  entries_.erase(stream_id);
}

std::uint64_t Ledgers::Dropped() const {
  MutexLock lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [id, entry] : entries_) {
    for (const std::uint64_t dropped : entry.ledger->Read(0).dropped) sum += dropped;
  }
  return sum;
}

std::vector<MetricFamily> Ledgers::Families(std::int64_t now_ns) const {
  std::map<std::string, Entry> entries;
  {
    MutexLock lock(mutex_);
    entries = entries_;
  }
  std::vector<MetricFamily> families{
      {"kps_stream_accepted_total", "Messages that the stream was given.", MetricType::kCounter, {}},
      {"kps_stream_delivered_total", "Messages that are safe where they go.", MetricType::kCounter, {}},
      {"kps_stream_dead_lettered_total", "Messages that went to the dead-letter channel.", MetricType::kCounter, {}},
      {"kps_stream_dropped_total", "Messages that were lost, by reason.", MetricType::kCounter, {}},
      {"kps_stream_returned_total", "Messages given back, to come again.", MetricType::kCounter, {}},
      {"kps_stream_in_flight", "Messages on their way: accepted, and none of the others yet.", MetricType::kGauge, {}},
      {"kps_stream_retries_total", "Times that the stream waited after a transient error.", MetricType::kCounter, {}},
      {"kps_stream_oldest_in_flight_seconds", "Age of the oldest message on its way.", MetricType::kGauge, {}},
      {"kps_stream_window_use", "How full the window of an ingress stream is, 0 to 1.", MetricType::kGauge, {}},
      {"kps_stream_batch_messages", "Messages of a batch, as the stream was given them.", MetricType::kHistogram, {}},
      {"kps_stream_latency_seconds", "From accepted to delivered.", MetricType::kHistogram, {}}};
  for (const auto& [id, entry] : entries) {
    const Ledger::Figures figures = entry.ledger->Read(now_ns);
    const MetricLabels labels{{"stream", id},
                              {"direction", entry.direction == Direction::kIngress ? "ingress" : "egress"}};
    std::size_t family = 0;
    const auto add = [&](double value) { families[family++].samples.push_back({labels, value, {}}); };
    add(static_cast<double>(figures.accepted));
    add(static_cast<double>(figures.delivered));
    add(static_cast<double>(figures.dead_lettered));
    for (std::size_t i = 0; i < kDropReasons; ++i) {
      MetricLabels with_reason = labels;
      with_reason.emplace_back("reason", DropReasonName(static_cast<DropReason>(i)));
      families[family].samples.push_back({std::move(with_reason), static_cast<double>(figures.dropped[i]), {}});
    }
    ++family;
    add(static_cast<double>(figures.returned));
    add(static_cast<double>(figures.in_flight));
    add(static_cast<double>(figures.retries));
    add(figures.oldest_in_flight_s);
    add(figures.window_use);
    families[family++].samples.push_back({labels, 0, entry.ledger->BatchSizes()});
    families[family++].samples.push_back({labels, 0, entry.ledger->Latencies()});
  }
  return families;
}

}  // namespace kps
