// Measures what lies between: INGRESS streams make numbered messages, EGRESS streams check that they all come.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <memory>

#include "payload.h"
#include "sequence_check.h"

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr uint64_t kSizeBytesMax = 64u << 20;

constexpr char kStreamSchema[] = R"({
  "type": "object",
  "properties": {
    "count": {"type": "integer", "minimum": 0, "maximum": 9007199254740991, "default": 0,
              "description": "INGRESS: messages to make; 0 never ends"},
    "sizeBytes": {"type": "integer", "minimum": 16, "maximum": 67108864, "default": 16,
                  "description": "INGRESS: bytes of a payload"},
    "ratePerSecond": {"type": "number", "minimum": 0, "default": 0,
                      "description": "INGRESS: messages a second; 0 makes them as fast as they are taken"}
  },
  "additionalProperties": false
})";

int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Source : public plugin::Consumer {
 public:
  Source(const plugin::Stream& stream, const std::string& position) : wake_fd_(stream.wake_fd) {
    plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    count_ = params.integer_or("count", 0, 0, (1ull << 53) - 1);
    size_bytes_ = params.integer_or("sizeBytes", kHeaderBytes, kHeaderBytes, kSizeBytesMax);
    rate_per_second_ = params.number_or("ratePerSecond", 0, 0);
    params.refuse_unknown_keys();
    if (position.empty()) return;
    if (position.size() > 18 || position.find_first_not_of("0123456789") != std::string::npos)
      throw plugin::Failure(KPS_DATA_LOSS,
                            "stream " + stream.id + ": the position \"" + position + "\" is not a sequence number");
    sequence_ = first_ = std::stoull(position);
  }

  void next(plugin::Batch& batch, milliseconds timeout) override {
    if (count_ > 0 && sequence_ >= count_) {
      plugin::wait_for(-1, 0, wake_fd_, timeout);
      return;
    }
    if (rate_per_second_ > 0 && due(sequence_) > SteadyClock::now()) {
      const auto left = std::chrono::ceil<milliseconds>(due(sequence_) - SteadyClock::now());
      plugin::wait_for(-1, 0, wake_fd_, std::min(left, timeout));
    }
    const auto now = SteadyClock::now();
    const int64_t timestamp_ns = now_ns();
    while ((count_ == 0 || sequence_ < count_) && batch.has_room(size_bytes_) &&
           (rate_per_second_ == 0 || due(sequence_) <= now)) {
      char* payload = batch.allot(size_bytes_, timestamp_ns);
      store_le64(payload, sequence_);
      store_le64(payload + 8, static_cast<uint64_t>(timestamp_ns));
      const size_t rest = size_bytes_ - kHeaderBytes;
      std::copy_n(pattern_.slice(sequence_, rest), rest, payload + kHeaderBytes);
      char id[20];
      batch.set_id(id, static_cast<size_t>(std::to_chars(id, id + sizeof id, sequence_).ptr - id));
      ++sequence_;
    }
    if (!batch.empty()) batch.set_position(std::to_string(sequence_));
  }

 private:
  SteadyClock::time_point due(uint64_t sequence) const {
    const double seconds = static_cast<double>(sequence - first_) / rate_per_second_;
    // Capped at a year: a tiny rate must not overflow the clock.
    return start_ + std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(std::min(seconds, 3.2e7)));
  }

  int wake_fd_;
  uint64_t count_ = 0;
  uint64_t size_bytes_ = 0;
  double rate_per_second_ = 0;
  uint64_t first_ = 0;
  uint64_t sequence_ = 0;
  SteadyClock::time_point start_ = SteadyClock::now();
  Pattern pattern_;
};

class Sink : public plugin::Producer {
 public:
  Sink(const plugin::Host& host, const plugin::Stream& stream) : host_(host), id_(stream.id) {
    plugin::Params(stream.metadata_json, "stream " + stream.id + ", metadata");  // an object, whatever it holds
  }

  void produce(const plugin::Messages& messages, milliseconds, size_t& taken) override {
    const SequenceCheck::Counts before = check_.counts();
    const uint64_t corrupt_before = corrupt_;
    const int64_t now = now_ns();
    for (; taken < messages.size(); ++taken) look_at(messages[taken], now);

    const SequenceCheck::Counts& after = check_.counts();
    add("received_total", after.received - before.received);
    add("gaps_total", after.gaps - before.gaps);
    add("duplicates_total", after.duplicates - before.duplicates);
    add("out_of_order_total", after.out_of_order - before.out_of_order);
    add("corrupt_total", corrupt_ - corrupt_before);
    if (messages.size() > 0) changed_ = true;
    if (SteadyClock::now() - reported_ >= std::chrono::seconds(1)) report();
  }

  void flush(milliseconds) override { report(); }

 private:
  void look_at(const plugin::Message& message, int64_t now) {
    const size_t rest = message.size < kHeaderBytes ? 0 : message.size - kHeaderBytes;
    const uint64_t sequence = message.size < kHeaderBytes ? 0 : load_le64(message.data);
    if (message.size < kHeaderBytes || message.size > kSizeBytesMax ||
        std::memcmp(message.data + kHeaderBytes, pattern_.slice(sequence, rest), rest) != 0) {
      ++corrupt_;
      return;
    }
    check_.see(sequence);
    latency_ns_ = now - static_cast<int64_t>(load_le64(message.data + 8));
  }

  void add(const char* name, uint64_t increment) {
    if (increment > 0) host_.counter_add(id_, name, increment);
  }

  void report() {
    if (!changed_) return;
    changed_ = false;
    reported_ = SteadyClock::now();
    host_.gauge_set(id_, "missing", static_cast<double>(check_.missing()));
    host_.gauge_set(id_, "next_sequence", static_cast<double>(check_.expected()));
    host_.gauge_set(id_, "latency_seconds", static_cast<double>(latency_ns_) / 1e9);

    const SequenceCheck::Counts& counts = check_.counts();
    const bool clean = check_.missing() + counts.duplicates + counts.out_of_order + corrupt_ == 0;
    const auto number = [](uint64_t value) { return std::to_string(value); };
    host_.set_status(id_, "generatorReport",
                     clean ? "all messages came once and in order" : "messages are missing, doubled or out of order",
                     clean ? KPS_STATE_HEALTHY : KPS_STATE_UNHEALTHY,
                     "{\"received\":" + number(counts.received) + ",\"missing\":" + number(check_.missing()) +
                         ",\"gaps\":" + number(counts.gaps) + ",\"duplicates\":" + number(counts.duplicates) +
                         ",\"outOfOrder\":" + number(counts.out_of_order) + ",\"corrupt\":" + number(corrupt_) +
                         ",\"nextSequence\":" + number(check_.expected()) + "}");
  }

  plugin::Host host_;
  std::string id_;
  SequenceCheck check_;
  Pattern pattern_;
  uint64_t corrupt_ = 0;
  int64_t latency_ns_ = 0;
  bool changed_ = false;
  SteadyClock::time_point reported_ = SteadyClock::now();
};

class GeneratorConnector : public plugin::Connector {
 public:
  using Connector::Connector;

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream,
                                                    const std::string& position) override {
    return std::make_unique<Source>(stream, position);
  }
  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    return std::make_unique<Sink>(host(), stream);
  }
};

constexpr auto kDescriptor =
    plugin::Descriptor("generator", "0.1.0",
                       "Makes numbered messages, and checks that they come complete and in order.",
                       KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .flags(KPS_FLAG_OVERLAP_SAFE)
        .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::GeneratorConnector, kps::plugins::kDescriptor);
