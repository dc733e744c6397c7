// What a test scripts and what it sees: the world outside of core. The fakes of this folder live in one; it outlives
// them and the runtime under test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/core/clock.h"
#include "host/core/envelope.h"
#include "host/core/logger.h"
#include "host/core/plugin.h"

namespace kps::test {

// All fields are under `mutex`: use Do, which also wakes those who wait for a change.
struct World {
  std::mutex mutex;
  std::condition_variable changed;

  // Connectors, by number: 1, 2, ... in the order of their creation.
  std::deque<Error> connector_errors;  // one for each CreateConnector
  std::vector<std::string> configs;    // "create 1 {...}", "configure 1 {...}"
  std::function<Result<ConfigureOutcome>(const std::string& config_json)> configure;  // empty: applied
  std::function<Result<Discovered>(int connector)> discover;                          // called without the lock
  std::set<int> connectors_alive;
  HostServices* services = nullptr;

  // Consumers and producers.
  std::map<std::string, Error> create_error;  // by stream: every create fails
  std::deque<Error> create_errors;            // one for each create, then success
  std::vector<BatchLimits> limits;            // of each NextBatch
  std::set<std::string> blocked;              // streams whose create does not return; "connector": CreateConnector
  std::set<int> failing;                      // connectors on which nothing can be created: UNAVAILABLE
  std::set<int> unreadable;                   // whose consumers' NextBatch fails
  bool overlap_safe = false;
  std::map<int, std::deque<std::string>> own;  // what only consumers of this connector can give, without a position
  std::vector<std::string> created;            // "id@position" of consumers, "id" of producers
  std::vector<int> created_by;                 // the connector of each
  std::vector<std::chrono::steady_clock::time_point> created_at;
  std::map<std::string, int> instances_alive;  // by stream
  std::map<std::string, int> instances_most;   // at the same time
  std::vector<std::string> source;             // what consumers read, each from its position
  std::deque<Error> next_errors;               // one for each NextBatch
  std::vector<std::uint64_t> acks;
  Error ack_error;  // of every Ack
  std::vector<std::string> produced;
  std::vector<std::size_t> produce_sizes;    // messages of each Produce
  std::vector<std::int64_t> produced_at_ns;  // the timestamps of what was produced
  std::string refused;                       // payload the producer can never take
  bool producer_blocked = false;             // Produce does not return
  bool producing = false;                    // it has been called
  bool producer_busy = false;                // the producer takes nothing: UNAVAILABLE
  std::deque<Error> produce_errors;          // one for each Produce
  std::deque<Error> flush_errors;            // one for each Flush
  Error flush_error;                         // of every Flush after them
  int flushes = 0;
  int wakes = 0;
  bool woken_takes_nothing = false;  // a producer that is woken neither takes nor flushes anything
  bool flush_waits = false;          // Flush does not return, unless it is woken

  // The transport.
  bool connected = true;
  std::string durability;                                      // of every channel
  std::vector<std::pair<std::string, std::string>> published;  // channel, payload
  std::vector<std::string> raw_published;                      // what is no envelope
  std::vector<std::string> headers;                            // "name: value", of all that is published
  std::deque<Error> publish_errors;                            // one for each Publish
  bool confirming = true;
  bool confirm_at_abort = false;                         // everything is confirmed at the moment of the next ABORTED
  int abort_waits = 0;                                   // so many AwaitConfirmed answer ABORTED
  std::map<std::string, std::deque<std::string>> inbox;  // channel -> envelopes
  int subscribes = 0;
  std::deque<Error> subscribe_errors;   // one for each Subscribe
  std::deque<Error> receive_errors;     // one for each Receive
  std::uint64_t dropped = 0;            // by the subscription
  bool keeping = false;                 // what is not acknowledged comes again
  std::vector<std::uint64_t> receipts;  // acknowledged

  std::vector<std::string> log;
  LogLevel log_level = LogLevel::kInfo;

  template <typename Function>
  auto Do(Function function) {
    const std::lock_guard<std::mutex> lock(mutex);
    changed.notify_all();
    return function();
  }
  void Send(const std::string& channel, const std::string& payload) {
    Do([&] { AppendEnvelope({payload, 1}, &inbox[channel].emplace_back()); });
  }
};

// The next one of a script; success when there is none.
inline Error Next(std::deque<Error>* errors) {
  if (errors->empty()) return {};
  Error error = errors->front();
  errors->pop_front();
  return error;
}

class FakeLogger : public Logger {
 public:
  explicit FakeLogger(World* world) : world_(world) {}
  void Log(LogLevel, std::string_view stream_id, std::string_view text) override {
    world_->Do([&] { world_->log.push_back(std::string(stream_id) + ": " + std::string(text)); });
  }
  void SetLevel(LogLevel level) override {
    world_->Do([&] { world_->log_level = level; });
  }

 private:
  World* const world_;
};

class FakeClock : public Clock {
 public:
  static constexpr std::int64_t kNowNs = 1790000000000000000;
  std::int64_t NowNs() const override { return kNowNs; }
};

}  // namespace kps::test
