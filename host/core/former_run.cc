// The former run of a stream, which a new one waits for: it may be held by its plugin for long, or for ever.
#include <utility>

#include "host/core/stream_runner.h"

namespace kps {
namespace {

using std::chrono::steady_clock;

// A run ends within this, when its plugin is polite; after it, people are told what is waited for.
constexpr std::chrono::milliseconds kFormerRunGrace{1000};

}  // namespace

bool StreamRunner::AdoptPredecessor() {
  bool hands_over = true;
  bool same_source = true;
  while (const auto former = predecessor()) {
    if (!AwaitEnd(former.get())) return false;
    hands_over = hands_over && former->stop_mode_ == StopMode::kHandOver;
    // Other metadata may name another source, in which the old position means nothing.
    same_source = same_source && former->stream().metadata_json == stream_.metadata_json;
    handover_.missed += std::exchange(former->handover_.missed, 0);
    if (hands_over) TakeOver(&former->handover_, same_source);
    // One that has given up leaves the run that it has waited for.
    auto before = former->predecessor();
    MutexLock lock(mutex_);
    predecessor_ = std::move(before);
  }
  if (handover_.missed > 0) ledger_->Miss(DropReason::kStopped, std::exchange(handover_.missed, 0));
  return true;
}

void StreamRunner::TakeOver(Handover* left, bool same_source) {
  if (same_source) handover_.point = std::move(left->point);
  handover_.in_hand = std::move(left->in_hand);
  MutexLock lock(mutex_);
  if (!handover_.subscription) handover_.subscription = std::move(left->subscription);
}

bool StreamRunner::AwaitEnd(StreamRunner* former) {
  auto report_at = environment_.clock->Now() + kFormerRunGrace;
  for (;;) {
    const bool draining = Stopping();
    if (draining && GivesUpWaiting() && (stop_mode_ == StopMode::kHandOver || former->DrainInstead())) return false;
    const auto until = draining ? drain_deadline_ : report_at;
    if (former->WaitUntilEnded(until, draining ? nullptr : &stopping_)) return true;
    if (draining || environment_.clock->Now() < report_at) continue;
    ReportFormerRun(*former);
    report_at = environment_.clock->Now() + kFormerRunGrace;
  }
}

bool StreamRunner::GivesUpWaiting() {
  // What an ingress stream has not begun it need not end.
  if (stream_.direction == Direction::kIngress) return true;
  return IsToEnd() || WaitingRuns() > kWaitingRunsMax;
}

void StreamRunner::ReportFormerRun(const StreamRunner& former) {
  const auto call = former.CurrentCall();
  const std::string where = call ? std::string(": its plugin is still in ") + call->function : "";
  events_.WaitsForFormerRun("the former run of this stream has not ended yet" + where);
}

bool StreamRunner::WaitUntilEnded(steady_clock::time_point deadline, const std::atomic<bool>* interrupted) {
  MutexLock lock(mutex_);
  while (!thread_ended_ && !(interrupted != nullptr && *interrupted)) {
    if (!environment_.clock->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  return thread_ended_;
}

bool StreamRunner::DrainInstead() {
  MutexLock lock(mutex_);
  if (thread_ended_) return false;
  stop_mode_ = StopMode::kDrain;
  if (handover_.subscription) handover_.subscription->Drain();
  return true;
}

void StreamRunner::Nudge() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

bool StreamRunner::ended() const {
  const auto former = predecessor();
  if (former && !former->ended()) return false;
  MutexLock lock(mutex_);
  return thread_ended_;
}

std::shared_ptr<StreamRunner> StreamRunner::predecessor() const {
  MutexLock lock(mutex_);
  return predecessor_;
}

int StreamRunner::WaitingRuns() const {
  const auto former = predecessor();
  const int before = former ? former->WaitingRuns() : 0;
  MutexLock lock(mutex_);
  return before + (thread_ended_ || begun_ ? 0 : 1);
}

std::optional<PluginCall> StreamRunner::CurrentCall() const {
  if (begun_) return call_.Current();
  const auto former = predecessor();
  return former ? former->CurrentCall() : std::nullopt;
}

}  // namespace kps
