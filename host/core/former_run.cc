// The former run of a stream, which a new one waits for: it may be held by its plugin for long, or for ever.
#include <utility>

#include "host/core/stream_runner.h"

namespace kps {
namespace {

// A run ends within this, when its plugin is polite; after it, people are told what is waited for.
constexpr std::chrono::milliseconds kFormerRunGrace{1000};

}  // namespace

bool StreamRunner::AdoptPredecessor() {
  bool hands_over = true;
  bool same_source = true;
  while (const auto former = predecessor()) {
    if (!AwaitEnd(former.get())) return false;
    hands_over = hands_over && former->control_.stop_mode() == StopMode::kHandOver;
    // Other metadata may name another source, in which the old position means nothing.
    same_source = same_source && former->stream().metadata_json == stream_.metadata_json;
    missed_ += std::exchange(former->missed_, 0);
    if (hands_over) TakeOver(former.get(), same_source);
    // One that has given up leaves the run that it has waited for.
    auto before = former->predecessor();
    MutexLock lock(mutex_);
    predecessor_ = std::move(before);
  }
  ledger_->Miss(DropReason::kStopped, std::exchange(missed_, 0));
  return true;
}

void StreamRunner::TakeOver(StreamRunner* former, bool same_source) {
  if (ingress_ && former->ingress_ && same_source) ingress_->StartAt(former->ingress_->point());
  if (egress_ && former->egress_) egress_->TakeOver(&*former->egress_);
}

bool StreamRunner::AwaitEnd(StreamRunner* former) {
  auto report_at = environment_.clock->Now() + kFormerRunGrace;
  for (;;) {
    const bool stopping = control_.stopping();
    if (stopping && GivesUpWaiting() && (!control_.draining() || former->DrainInstead())) return false;
    const auto until = stopping ? control_.drain_deadline() : report_at;
    if (former->control_.WaitUntilEnded(until, stopping ? nullptr : control_.stopping_flag())) return true;
    if (stopping || environment_.clock->Now() < report_at) continue;
    ReportFormerRun(*former);
    report_at = environment_.clock->Now() + kFormerRunGrace;
  }
}

bool StreamRunner::GivesUpWaiting() {
  // What an ingress stream has not begun it need not end.
  if (ingress_) return true;
  return egress_->IsToEnd() || WaitingRuns() > kWaitingRunsMax;
}

void StreamRunner::ReportFormerRun(const StreamRunner& former) {
  const auto call = former.CurrentCall();
  std::string where;
  if (call) {
    where = std::string(": its plugin is still in ") + call->function;
  } else if (!environment_.transport->Connected()) {
    where = ": the transport is not connected: " + environment_.transport->DisconnectReason();
  }
  health_.events().WaitsForFormerRun("the former run of this stream has not ended yet" + where);
}

bool StreamRunner::DrainInstead() {
  if (!control_.DrainInstead(environment_.clock->Now() + environment_.drain_timeout)) return false;
  if (egress_) egress_->Drain();
  return true;
}

bool StreamRunner::ended() const {
  const auto former = predecessor();
  if (former && !former->ended()) return false;
  return control_.ended();
}

std::shared_ptr<StreamRunner> StreamRunner::predecessor() const {
  MutexLock lock(mutex_);
  return predecessor_;
}

int StreamRunner::WaitingRuns() const {
  const auto former = predecessor();
  const int before = former ? former->WaitingRuns() : 0;
  return before + (control_.ended() || begun_ ? 0 : 1);
}

std::optional<PluginCall> StreamRunner::CurrentCall() const {
  {
    MutexLock lock(mutex_);
    if (mark_ != nullptr) return mark_->Current();
  }
  const auto former = predecessor();
  return former ? former->CurrentCall() : std::nullopt;
}

}  // namespace kps
