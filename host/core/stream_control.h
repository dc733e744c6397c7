// What a stream's thread is told by others, and they by it: to stop, to try again, to go over to another connector; how
// it has started, that it has ended. All of its thread's waits are here, by the clock port.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

#include "host/core/clock.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/stream_move.h"

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
  void AwaitEnded();
  void Nudge();
  void Launch();
  bool carrying() const { return carrying_; }
  // The stream is to go over to another connector as soon as it comes back from its plugin. One that was asked for
  // before, and has not begun, is made only if this one is refused and that one stands.
  void RequestMove(std::shared_ptr<StreamMove> move);
  // Waits until it is made or refused. When neither has happened by its deadline, it stands: it is made whenever the
  // stream comes back, whether it works or not. A stop of the stream, or `stop`, withdraws it.
  StreamMove::Outcome AwaitMove(StreamMove* move, std::stop_token stop);
  // It stands, without a wait.
  StreamMove::Outcome LetStand(StreamMove* move);

  // Of the stream's thread.
  // Waits until it is launched. False: it was told to stop, and never is.
  bool AwaitLaunch();
  // What was changed until now counts for the instance that is made next; what is changed from now on, for the one
  // after it.
  void BeginInstance();
  // Between the two a stop makes the calls of an instance return. The waker is the caller's. Also of the thread that
  // tries an instance.
  void AddWaker(Waker* waker);
  void RemoveWaker(Waker* waker);
  // Whether also a move does: it is carrying, or is not any more, and its waker may be used again.
  void SetCarrier(Waker* waker);
  // A move waits to be made.
  bool moving() const { return moving_; }
  // The calls of the carrying instance may block again: what it is still asked is not to be interrupted, and has a time
  // that is Bounded. True: one that returned before may have been, by a move or a stop.
  bool RestCarrier();
  // It is to be made now, and finished; null: there is none. The carrier rests.
  std::shared_ptr<StreamMove> TakeMove();
  // What was brought about before it could begin is in its way. False: it is to be made anyway.
  bool DeclineMove(const Error& error);
  bool OnlyIfItWorks(const StreamMove& move) const;  // else it is made anyway
  void FinishMove(StreamMove* move, std::chrono::nanoseconds pause);
  // False: nobody has waited so long, and it is to be made anyway.
  bool RefuseMove(StreamMove* move, const Error& error);
  // It cannot be made now, and is to be made later, unless another one is asked for by now.
  void PutBackMove(std::shared_ptr<StreamMove> move);
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
  TimePoint drain_deadline() const { return TimePoint(TimePoint::duration(drain_deadline_)); }  // while stopping
  // What is left of `timeout` before the stream is to end; at least a moment, in which a call may succeed.
  std::chrono::milliseconds Bounded(std::chrono::milliseconds timeout) const;
  const std::atomic<bool>* stopping_flag() const { return &stopping_; }
  // Requested by the stop.
  std::stop_token stop_token() const { return stop_source_.get_token(); }

 private:
  void SetMove(std::shared_ptr<StreamMove> move) KPS_REQUIRES(mutex_);  // null: none
  void SettleRefusal(StreamMove* move, const Error& error) KPS_REQUIRES(mutex_);

  const Clock* const clock_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> carrying_{false};
  std::atomic<bool> moving_{false};
  std::stop_source stop_source_;
  std::atomic<StopMode> stop_mode_{StopMode::kDrain};
  std::atomic<TimePoint::rep> drain_deadline_{0};  // set before it is draining

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Waker*> wakers_ KPS_GUARDED_BY(mutex_);
  Waker* carrier_ KPS_GUARDED_BY(mutex_) = nullptr;          // of the instance that is carrying
  bool interrupted_ KPS_GUARDED_BY(mutex_) = false;          // it was woken since it rested
  std::shared_ptr<StreamMove> move_ KPS_GUARDED_BY(mutex_);  // that has not begun
  std::shared_ptr<StreamMove> owed_ KPS_GUARDED_BY(mutex_);  // that stood when move_ was asked for
  bool launched_ KPS_GUARDED_BY(mutex_) = false;
  bool stop_requested_ KPS_GUARDED_BY(mutex_) = false;
  bool settled_ KPS_GUARDED_BY(mutex_) = false;
  bool ended_ KPS_GUARDED_BY(mutex_) = false;
  bool try_again_ KPS_GUARDED_BY(mutex_) = false;         // ends every wait
  bool try_failed_again_ KPS_GUARDED_BY(mutex_) = false;  // ends that after a permanent error
};

}  // namespace kps
