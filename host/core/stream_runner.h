// Runs one stream on a thread of its own: waits for the former run of the same stream, creates the consumer or
// producer, has it carry messages (Ingress, Egress), and makes it anew after an error. When it moves to another
// connector, another thread goes on (hand_over.cc).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "host/core/egress.h"
#include "host/core/ending_threads.h"
#include "host/core/error.h"
#include "host/core/ingress.h"
#include "host/core/instance.h"
#include "host/core/ledger.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"
#include "host/core/stream.h"
#include "host/core/stream_control.h"
#include "host/core/stream_environment.h"
#include "host/core/stream_health.h"

namespace kps {

class StreamRunner : public std::enable_shared_from_this<StreamRunner> {
 public:
  // With its thread, which does nothing before Launch; nothing is seen of it. RESOURCE_EXHAUSTED: the system gives no
  // more threads.
  static Result<std::shared_ptr<StreamRunner>> Create(StreamSpec stream, StreamEnvironment environment);
  // Use Create.
  StreamRunner(StreamSpec stream, StreamEnvironment environment);
  // Stops as kHandOver does and waits.
  ~StreamRunner();

  // Starts the stream. Where it is an egress stream it is subscribed on return, so that what is published from then on
  // reaches it; where the transport keeps messages, its thread subscribes it. `predecessor` (may be null) is the same
  // stream with its former content: it has been told to stop, and this one starts when it has ended, with what it
  // leaves where that still fits. Without one it starts at `saved`. Once.
  void Launch(std::shared_ptr<Connector> connector, std::shared_ptr<StreamRunner> predecessor, ResumePoint saved = {});

  const StreamSpec& stream() const { return stream_; }
  // Messages are being carried. Any thread, as all that follows.
  bool subscribed() const { return control_.carrying(); }

  // Ends the stream soon; no event of it appears from now on. A drain has the environment's time for it, or until
  // `drain_deadline`. The first call counts.
  void RequestStop(StopMode mode) { RequestStop(mode, environment_.clock->Now() + environment_.drain_timeout); }
  void RequestStop(StopMode mode, StreamControl::TimePoint drain_deadline);
  // What a failure waits for may have changed: try again now. A try that is under way may have begun with what was
  // before, so when it fails it is made once more.
  void TryAgain(Waiting which) { control_.TryAgain(which); }
  // The stream is to go over to the move's connector; AwaitMove waits for it. As StreamControl says. A stream that has
  // not begun, or carries nothing, goes over whether that works or not.
  void RequestMove(std::shared_ptr<StreamMove> move) { control_.RequestMove(std::move(move)); }
  StreamMove::Outcome AwaitMove(StreamMove* move, std::stop_token stop) {
    return begun_ ? control_.AwaitMove(move, stop) : control_.LetStand(move);
  }
  // Waits until it is known how the stream starts: an instance was created, or could not be, or the stream is told to
  // stop. False: none of it within `timeout`.
  bool WaitUntilSettled(std::chrono::milliseconds timeout) { return control_.WaitUntilSettled(timeout); }
  // Waits until the stream has ended, with the runs before it. Also several threads.
  void Join();
  bool ended() const;
  // Waits until this run has ended. False: not until `deadline`.
  bool WaitUntilEnded(std::chrono::steady_clock::time_point deadline) { return control_.WaitUntilEnded(deadline); }
  // What it is in, or the former run that it waits for.
  std::optional<PluginCall> CurrentCall() const;

 private:
  // A stream's runs that wait for the former one to end, and have to deliver then. A change beyond them is not one that
  // a person makes.
  static constexpr int kWaitingRunsMax = 8;

  void JoinThread();
  void Run();
  // What has come of an instance that carried.
  enum class Carried {
    kByAnother,  // thread: it has the stream
    kToItsEnd,
    kGivenUp,  // for a move that was refused: it is made again before anything else is tried
  };
  // Carries with one instance after the other until the stream ends, or is another thread's.
  void Carry(PluginCalls::Mark* mark, Carried former = Carried::kToItsEnd);
  bool MustStillDeliver() const;
  void TakeTurn(std::shared_ptr<Connector> connector, const PluginCalls::Mark* mark);
  std::string Position() const;  // where the next instance starts
  Carried CarryWith(std::unique_ptr<Instance> instance, std::optional<Batch> first);
  void End();
  void ReportUndelivered();

  // Moves (hand_over.cc). True: another thread goes on.
  bool HandOver(std::shared_ptr<StreamMove> move, std::unique_ptr<Instance>* instance);
  void HandOverAnyway(StreamMove* move, std::unique_ptr<Instance>* instance, const std::shared_ptr<StreamRunner>& self);
  // OK: another thread goes on.
  Error HandOverIfItWorks(StreamMove* move, std::unique_ptr<Instance>* instance,
                          const std::shared_ptr<StreamRunner>& self);
  Error TryOn(StreamMove* move, std::unique_ptr<Instance>* instance, const std::shared_ptr<StreamRunner>& self,
              StreamControl::TimePoint parked_at);
  void GoOnIn(const std::shared_ptr<StreamRunner>& self, const std::function<WatchedThread()>& make);

  // The former run, which may not come back from its plugin (former_run.cc).
  // Takes what the predecessor leaves, once it has ended. False: told to stop before, and the predecessor is left to
  // the successor, so that only the newest content waits.
  bool AdoptPredecessor();
  void TakeOver(StreamRunner* former, bool same_source);
  bool AwaitEnd(StreamRunner* former);  // false: gives up
  bool GivesUpWaiting();
  void ReportFormerRun(const StreamRunner& former);
  bool DrainInstead();  // of a former run, as nobody takes over what it leaves; false: it has ended
  std::shared_ptr<StreamRunner> predecessor() const;
  int WaitingRuns() const;  // this one, when it has not begun, and those before it

  const StreamSpec stream_;
  const StreamEnvironment environment_;
  std::shared_ptr<Connector> connector_;  // since the launch of the stream's thread; given up when the stream has ended
  std::shared_ptr<Ledger> ledger_;        // since the launch
  StreamControl control_;
  std::atomic<bool> begun_{false};  // the former run has ended

  mutable Mutex mutex_;
  // Set until it has been adopted. Where it never is, because this run was told to stop before, it stays.
  std::shared_ptr<StreamRunner> predecessor_ KPS_GUARDED_BY(mutex_);
  const PluginCalls::Mark* mark_ KPS_GUARDED_BY(mutex_) = nullptr;  // of the stream's thread, while it has begun

  // Of the stream's thread.
  StreamHealth health_;
  std::optional<Ingress> ingress_;  // one of the two
  std::optional<Egress> egress_;
  bool drain_tried_ = false;  // an instance was to be made since the stop
  std::size_t missed_ = 0;    // lost by runs that never began; for the ledger, which the former run may be writing

  Mutex join_mutex_;
  WatchedThread thread_ KPS_GUARDED_BY(join_mutex_);  // the stream's
};

}  // namespace kps
