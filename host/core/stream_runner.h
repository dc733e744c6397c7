// Runs one stream on a thread of its own: creates the consumer or producer, carries messages, retries what is
// transient, waits after what is permanent, and says how it goes in events. One file for each direction: ingress.cc,
// egress.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/core/backoff.h"
#include "host/core/clock.h"
#include "host/core/dead_letters.h"
#include "host/core/event_store.h"
#include "host/core/ingress_progress.h"
#include "host/core/ledger.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"
#include "host/core/stream.h"
#include "host/core/stream_events.h"
#include "host/core/transport.h"
#include "host/core/window.h"

namespace kps {

// What a stream leaves to its successor when it is restarted, so that nothing is lost or read twice.
struct Handover {
  ResumePoint point;                           // ingress: after the last confirmed batch
  std::unique_ptr<Subscription> subscription;  // egress: stays open, with what has arrived in it
  // Egress: what was received last, if its messages are not all dealt with.
  struct InHand {
    std::string envelope;
    std::size_t left = 0;  // of its messages, the last ones
    std::uint64_t receipt = 0;
  };
  InHand in_hand;
  // Egress: lost by runs that never began; for the ledger, which the former run may still be writing.
  std::size_t missed = 0;
};

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

class StreamRunner {
 public:
  // What every stream needs; all of it outlives the runner.
  struct Environment {
    Transport* transport = nullptr;
    EventStore* events = nullptr;
    Logger* logger = nullptr;
    const Clock* clock = nullptr;
    StateStore* state = nullptr;  // null: nothing survives the process
    Ledgers* ledgers = nullptr;
    PluginCalls* calls = nullptr;
    BatchLimits batch{512, 1024 * 1024};
    Window::Limits window{};
    FailurePolicy policy{};
    std::chrono::milliseconds drain_timeout{10'000};
  };

  // Starts the thread. An egress stream is subscribed when the constructor returns, so that what is published from then
  // on reaches it; where the transport keeps messages, its thread subscribes it. `predecessor` (may be null) is the
  // same stream with its former content: it has been told to stop, and this one starts when it has ended, with what it
  // leaves where that still fits. Without one it starts at `saved`.
  StreamRunner(StreamSpec stream, std::shared_ptr<Connector> connector, Environment environment,
               std::shared_ptr<StreamRunner> predecessor, ResumePoint saved = {});
  // Stops as kHandOver does and waits.
  ~StreamRunner();

  const StreamSpec& stream() const { return stream_; }
  // Messages are being carried. Any thread.
  bool subscribed() const { return subscribed_; }

  // Ends the stream soon; no event of it appears from now on. The first call's mode counts. Any thread.
  void RequestStop(StopMode mode);
  // What a failure waits for may have changed: try again now. A try that is under way may have begun with what was
  // before, so when it fails it is made once more. Any thread.
  void TryAgain(Waiting which);
  // Waits until it is known how the stream starts: an instance was created, or could not be, or the stream is told to
  // stop. False: none of it within `timeout`. Any thread.
  bool WaitUntilSettled(std::chrono::milliseconds timeout);
  // Waits until the stream has ended, with the runs before it. Any thread, also several.
  void Join();
  bool ended() const;
  // Waits until this run has ended. False: not until `deadline`, or until `*interrupted`, which is followed by a Nudge.
  bool WaitUntilEnded(std::chrono::steady_clock::time_point deadline, const std::atomic<bool>* interrupted = nullptr);
  // What it is in, or the former run that it waits for. Any thread.
  std::optional<PluginCall> CurrentCall() const;

 private:
  // A stream's runs that wait for the former one to end, and have to deliver then. A change beyond them is not one that
  // a person makes.
  static constexpr int kWaitingRunsMax = 8;

  void JoinThread();
  void Run();
  void Carry();
  void RunInstance();

  // The former run, which may not come back from its plugin (former_run.cc).
  // Takes what the predecessor leaves, once it has ended. False: told to stop before, and the predecessor is left to
  // the successor, so that only the newest content waits.
  bool AdoptPredecessor();
  void TakeOver(Handover* left, bool same_source);
  bool AwaitEnd(StreamRunner* former);  // false: gives up
  bool GivesUpWaiting();
  void ReportFormerRun(const StreamRunner& former);
  // Of the former run.
  bool DrainInstead();  // nobody takes over what it leaves; false: it has ended
  void Nudge();
  std::shared_ptr<StreamRunner> predecessor() const;
  int WaitingRuns() const;  // this one, when it has not begun, and those before it

  // Says how many messages a drain could not bring home.
  void ReportUndelivered();
  // Egress: told to drain before an instance could be made that delivers what has arrived. One try is made.
  bool MustStillDeliver();

  // A message can never be delivered. False: it stays, and the instance is done with.
  bool GiveUp(std::string_view envelope, DropReason reason, const Error& error);
  void ReportUndeliverable(const std::string& what, const std::string& reason);

  // ingress.cc
  Error OpenWindow();
  // Where a new consumer begins: after what is on its way.
  std::string_view NextPosition() const;
  void ReportWindow();
  // The stream ends with something still on its way.
  void GiveUpWindow();
  // False: the policy is to wait.
  bool DropRefused(const Error& error);
  void RunIngress(Consumer* consumer);
  void AwaitConfirmed(Consumer* consumer, std::uint64_t ticket, std::chrono::milliseconds timeout);
  void PublishAgain(Consumer* consumer);
  // Tells the source what is safe; again, after a back-off, where that failed.
  void Acknowledge(Consumer* consumer);
  void ReapConfirmed(Consumer* consumer);
  // Publishes the window's rest and reacts to the transport's errors. False: wait and come back.
  bool PublishWindow(Consumer* consumer);
  void DrainWindow(Consumer* consumer);

  // egress.cc
  Error EnsureSubscribed();
  void RunEgress(Producer* producer);
  // A stop is to be followed now: at once, or when its drain, which the first call begins, has had its time.
  bool IsToEnd();
  void Unpack(std::string_view envelope);
  bool ReceiveMore(std::chrono::milliseconds timeout);  // false: drained
  bool ProducePending(Producer* producer);              // false: nothing more can be done
  void Took(std::size_t count);
  bool HasHadAllAttempts() const;
  void SetOldest(std::chrono::steady_clock::time_point since);
  bool IsTimeToFlush() const;
  // Delivers what was taken, and acknowledges it to the transport.
  Error FlushProducer(Producer* producer);
  void ReturnUnflushed(const Error& error);
  void ForgetReceipts();
  void LoseSubscription(const Error& error);
  void ReportDrops();

  bool Stopping() const { return stopping_; }
  // Waits for a stop. True: it came.
  bool WaitForStop(std::chrono::milliseconds timeout);
  // Waits, also while the stream is to stop.
  void Pause(std::chrono::milliseconds timeout);
  // Waits for a stop or a TryAgain that ends this kind of wait.
  void WaitToTryAgain(Waiting kind, std::chrono::milliseconds timeout);
  // Reports `error`, then waits: after a transient one as long as the back-off says, after a permanent one for a stop
  // or a TryAgain; then events_.failed() says that the instance has to be made anew.
  void ReactToError(const char* doing, const Error& error);
  void MarkSettled();

  // Both may be called for every message: only a change is reported.
  void ReportHealthy();
  void ReportUnhealthy(const std::string& reason);
  // Says once for each connection which faults a confirm survives.
  void TellDurability();
  // Healthy as long as the transport is connected, and flushes and acknowledgements succeed.
  void ReportConnection();

  const StreamSpec stream_;
  const Environment environment_;
  std::shared_ptr<Connector> connector_;  // of the stream's thread; given up when the stream has ended
  PluginCalls::Mark call_;                // of the stream's thread
  std::unique_ptr<Waker> waker_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> subscribed_{false};
  std::atomic<bool> begun_{false};  // the former run has ended
  std::atomic<StopMode> stop_mode_{StopMode::kDrain};

  mutable Mutex mutex_;  // before that of the predecessor, where both are held
  CondVar changed_;
  // Set until it has been adopted. Where it never is, because this run was told to stop before, it stays.
  std::shared_ptr<StreamRunner> predecessor_ KPS_GUARDED_BY(mutex_);
  bool thread_ended_ KPS_GUARDED_BY(mutex_) = false;
  bool stop_requested_ KPS_GUARDED_BY(mutex_) = false;
  bool settled_ KPS_GUARDED_BY(mutex_) = false;
  bool try_again_ KPS_GUARDED_BY(mutex_) = false;         // ends every wait
  bool try_failed_again_ KPS_GUARDED_BY(mutex_) = false;  // ends that after a permanent error

  // Of the stream's thread.
  StreamEvents events_;
  Backoff backoff_;
  const std::shared_ptr<Ledger> ledger_;
  DeadLetters dead_letters_;
  std::uint64_t undeliverable_ = 0;
  std::chrono::steady_clock::time_point undeliverable_logged_at_{};
  IngressProgress progress_;
  std::unique_ptr<Publisher> publisher_;         // ingress
  bool publisher_refused_ = false;               // it has to be opened anew
  std::unique_ptr<Window> window_;               // ingress
  std::optional<std::uint64_t> unacknowledged_;  // ingress: the token that is to be acknowledged
  std::chrono::steady_clock::time_point acknowledge_at_{};
  std::chrono::steady_clock::time_point drain_deadline_{};
  Handover handover_;                 // the subscription is set under mutex_, because a stop drains it
  std::string_view envelope_;         // egress: of the current delivery, or handover_.in_hand
  Error malformed_;                   // egress: why it is none; then it is itself what is pending
  std::vector<MessageView> pending_;  // egress: views into it
  std::size_t pending_taken_ = 0;
  std::uint64_t pending_receipt_ = 0;  // egress: of the delivery in pending_; 0: none
  std::uint64_t handled_receipt_ = 0;  // egress: everything up to it was taken by the producer, or dropped
  std::uint64_t acknowledged_receipt_ = 0;
  std::uint32_t attempts_ = 0;          // egress: at the first of what is pending, by this host
  std::uint32_t earlier_attempts_ = 0;  // and by others, or an earlier one
  std::uint64_t unflushed_ = 0;         // egress: taken by the producer since the last flush
  std::chrono::steady_clock::time_point unflushed_since_{};
  std::chrono::steady_clock::time_point received_at_{};
  std::uint64_t drops_reported_ = 0;
  bool drain_tried_ = false;  // egress: an instance was to be made since the stop
  bool publish_alert_ = false;
  bool durability_told_ = false;
  bool in_trouble_ = false;  // a flush, or an acknowledgement to the source, has failed since the last that did not
  std::chrono::steady_clock::time_point flushed_at_{};

  Mutex join_mutex_;
  std::thread thread_ KPS_GUARDED_BY(join_mutex_);
};

}  // namespace kps
