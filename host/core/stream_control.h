// What a stream's thread is told by others, and they by it: to stop, to try again; how it has started, that it has
// ended. All of its thread's waits are here, by the clock port.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "host/core/clock.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"

namespace kps {

enum class StopMode {
  kDrain,     // deliver what is on its way, then end
  kHandOver,  // end at the next batch boundary and leave the rest to a successor of the same direction (and, for
              // egress, the same channel)
};

// Which waits after a failure are over.
enum class Waiting {
  kAll,
  kFailed,  // those after a permanent error; a back-off goes on
};

class StreamControl {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The clock outlives it.
  explicit StreamControl(const Clock* clock) : clock_(clock) {}

  // Any thread. A drain may take until `deadline`. False: it was told to stop before, and that counts.
  bool Stop(StopMode mode, TimePoint deadline);
  // A stop that was to hand over drains instead. False: the stream has ended already.
  bool DrainInstead(TimePoint deadline);
  bool stopping() const { return stopping_; }
  StopMode stop_mode() const { return stop_mode_; }  // while stopping
  bool draining() const { return stopping_ && stop_mode_ == StopMode::kDrain; }
  void TryAgain(Waiting which);
  // False: none of it within `timeout`; true also when the stream is told to stop.
  bool WaitUntilSettled(std::chrono::milliseconds timeout);
  bool ended() const;
  // False: not until `deadline`, or until `*interrupted`, which is followed by a Nudge.
  bool WaitUntilEnded(TimePoint deadline, const std::atomic<bool>* interrupted = nullptr);
  void Nudge();
  void Launch();
  bool carrying() const { return carrying_; }

  // Of the stream's thread.
  // Waits until it is launched. False: it was told to stop, and never is.
  bool AwaitLaunch();
  // An instance of the plugin is made now: a stop makes its calls return. What was changed until now counts for it;
  // what is changed from now on, for the one after it.
  Waker* BeginInstance(std::unique_ptr<Waker> waker);
  void EndInstance();
  void MarkSettled();  // it is known how the stream starts
  // The thread ends now, and leaves the rest to a successor. False: that is not wanted, or no longer.
  bool EndToHandOver();
  void End();
  void SetCarrying(bool carrying) { carrying_ = carrying; }  // messages
  // Waits for a stop. True: it came.
  bool WaitForStop(std::chrono::milliseconds timeout);
  // Waits, also while the stream is to stop.
  void Pause(std::chrono::milliseconds timeout);
  // Waits for a stop or a TryAgain that ends this kind of wait.
  void WaitToTryAgain(Waiting kind, std::chrono::milliseconds timeout);
  // A stop is to be followed now: at once, or when its drain has had its time.
  bool IsToEnd() const;
  TimePoint drain_deadline() const { return TimePoint(TimePoint::duration(drain_deadline_)); }  // while draining
  // What is left of `timeout` before the stream is to end; at least a moment, in which a call may succeed.
  std::chrono::milliseconds Bounded(std::chrono::milliseconds timeout) const;
  const std::atomic<bool>* stopping_flag() const { return &stopping_; }

 private:
  const Clock* const clock_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> carrying_{false};
  std::atomic<StopMode> stop_mode_{StopMode::kDrain};
  std::atomic<TimePoint::rep> drain_deadline_{0};  // set before it is draining

  mutable Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<Waker> waker_ KPS_GUARDED_BY(mutex_);
  bool launched_ KPS_GUARDED_BY(mutex_) = false;
  bool stop_requested_ KPS_GUARDED_BY(mutex_) = false;
  bool settled_ KPS_GUARDED_BY(mutex_) = false;
  bool ended_ KPS_GUARDED_BY(mutex_) = false;
  bool try_again_ KPS_GUARDED_BY(mutex_) = false;         // ends every wait
  bool try_failed_again_ KPS_GUARDED_BY(mutex_) = false;  // ends that after a permanent error
};

}  // namespace kps
