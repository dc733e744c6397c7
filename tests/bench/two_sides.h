// One run: a sender and a receiver, each a process of its own, and a nats-server between them. Every message arrives,
// or the run is an error: a rate of messages that were lost would be worth nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace kps::bench {

inline constexpr char kChannel[] = "bench.load";

struct Load {
  std::string url{};  // of the nats-server
  std::uint64_t messages = 0;
  std::size_t payload_bytes = 0;
  std::uint64_t envelope_messages = 1;              // so many share an envelope, where they come at once
  std::uint64_t messages_per_second = 0;            // as fast as it goes: 0
  std::chrono::milliseconds stalled_after{10'000};  // nothing arrives for so long: messages are lost
};

// What the two sides see of each other.
class Progress {
 public:
  // The sender: the first message goes out now.
  void Begin();
  // The receiver: so many messages have arrived by now, of so many that are to come.
  void Arrived(std::uint64_t count, std::uint64_t messages);
  std::uint64_t arrived() const { return arrived_.load(std::memory_order_acquire); }
  // Waits for the last message. An exception when they stop coming.
  void AwaitAll(const Load& load) const;
  // From the first message that was sent to the last that arrived.
  double seconds() const { return static_cast<double>(end_ns_ - begin_ns_) / 1e9; }

  // The receiver: what half of the messages, and all but one in a hundred, took at most.
  std::atomic<std::int64_t> latency_p50_ns{0};
  std::atomic<std::int64_t> latency_p99_ns{0};

  std::atomic<int> sides_ready{0};
  std::atomic<int> sides_failed{0};

 private:
  std::atomic<std::uint64_t> arrived_{0};
  // Of the steady clock, which all processes of a machine share.
  std::atomic<std::int64_t> begin_ns_{0};
  std::atomic<std::int64_t> end_ns_{0};
};

// Constructed: connected, subscribed, ready.
class Side {
 public:
  virtual ~Side() = default;
  // Sends or receives everything. Errors are exceptions.
  virtual void Run() = 0;
};
using MakeSide = std::function<std::unique_ptr<Side>(const Load& load, Progress* progress)>;

enum class Measured { kSender, kReceiver };
struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;     // user and system, of the process of the measured side, while it ran
  double latency_p50_us = 0;  // where the receiver measures it
  double latency_p99_us = 0;
};

// An exception tells what went wrong, on both sides.
Cost Carry(const Load& load, const MakeSide& sender, const MakeSide& receiver, Measured measured);

}  // namespace kps::bench
