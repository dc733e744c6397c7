// One run under faults: its seed decides every choice, its time passes at once, and all that happens at the ports of
// core is noted in order. So a seed is a whole test case, and running it again is the same case.
//
// Everything happens on the stream's thread; the test only looks before the stream starts and after it has ended.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/clock.h"
#include "host/core/error.h"

namespace kps::faults {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

enum class Fault {
  kDisconnect,    // what was on the wire arrives in part; nothing is confirmed
  kDrop,          // one envelope is lost though the connection stays
  kDouble,        // an envelope arrives twice
  kSlow,          // it arrives, or is confirmed, late; so confirms overtake each other
  kPublishFails,  // UNAVAILABLE, and nothing is lost
  kFull,          // RESOURCE_EXHAUSTED
  kForbidden,     // PERMISSION_DENIED until the publisher is opened again
  kOpenFails,     // OpenPublisher, Subscribe
  kReceiveFails,  // the subscription is of no use any more
  kDelivered2,    // a delivery comes twice
  kAckLost,       // an acknowledgement does not reach the transport
  kOverflow,      // a transport that keeps nothing drops a message, and counts it
  kCreateFails,   // a waker, consumer or producer
  kReadFails,     // NextBatch
  kNothing,       // NextBatch or Produce answers with nothing, at once
  kSourceAckFails,
  kProduceFails,
  kTakesLess,  // Produce takes only some
  kFlushFails,
  kStoreFails,  // the state cannot be saved for a while
  kStop,        // the stream is stopped, handed over or killed
  kCount,
};
const char* FaultName(Fault fault);

struct Operation {
  const char* name;
  std::int64_t a;
  std::int64_t b;
  Time at;
  bool operator==(const Operation& other) const;
};

class Simulation : public Clock {
 public:
  static constexpr std::size_t kOperationsMax = 20'000;  // a stream that needs more does not come to an end

  explicit Simulation(std::uint64_t seed);

  // Choices.
  std::uint64_t Below(std::uint64_t n);
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  // Some seeds know no fault of this kind, others many. After a while there are none any more, so that a run ends.
  bool Happens(Fault fault);
  // An error of the kind that passes by itself; now and then of the kind that does not.
  Error AnyError(const char* doing);
  Error Transient(const char* doing);
  std::uint64_t faults() const { return faults_; }
  const std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)>& fault_counts() const { return counts_; }

  // Time.
  std::int64_t NowNs() const override;
  Time Now() const override { return now_; }
  bool WaitUntil(CondVar* changed, Mutex* mutex, Time deadline) const override KPS_REQUIRES(mutex);
  void PassUntil(Time time);
  void Pass(milliseconds duration) { PassUntil(now_ + duration); }

  // What happens at a port. A call that notes itself here may find, when this returns, that its stream is to stop.
  void Call(const char* name, std::int64_t a = 0, std::int64_t b = 0);
  // Likewise, of what is no call, or not one at which a stream is stopped.
  void Note(const char* name, std::int64_t a = 0, std::int64_t b = 0);
  const std::vector<Operation>& operations() const { return operations_; }

  // A promise that was broken; the first few are kept.
  void Broken(const std::string& what);
  const std::vector<std::string>& broken() const { return broken_; }

  // Called by Call when the stream is to be stopped (kStop), or to be given up because it does not come to an end. Set
  // before Open, which lets the stream's thread pass AwaitOpen.
  std::function<void(bool give_up)> interrupt;
  void Open();
  void AwaitOpen();
  void Close();
  // The process is dead: until it is alive again, nothing that is called has an effect.
  bool dead() const { return dead_; }
  void set_dead(bool dead) { dead_ = dead; }

 private:
  bool MayInterrupt();

  const std::uint64_t seed_;
  std::uint64_t random_;
  std::size_t faulty_operations_;
  std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)> one_in_{};  // 0: never
  std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)> counts_{};
  std::uint64_t faults_ = 0;
  Time now_{};
  std::vector<Operation> operations_;
  std::vector<std::string> broken_;
  bool interrupting_ = false;
  bool dead_ = false;
  std::atomic<bool> open_{false};
};

}  // namespace kps::faults
