// Ingress: consumer -> window -> transport -> confirm -> position -> ack. Of the stream's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "host/core/ingress_progress.h"
#include "host/core/plugin.h"
#include "host/core/stream_context.h"
#include "host/core/transport.h"
#include "host/core/window.h"

namespace kps {

class Ingress {
 public:
  // What `context` points to outlives it.
  Ingress(const StreamContext& context, ResumePoint start);

  // Before it begins: where an earlier run has ended.
  void StartAt(ResumePoint start) { start_ = std::move(start); }
  // The former run has ended: the stream is this one's.
  void Begin();
  // Where a new consumer begins: after what is on its way.
  std::string_view NextPosition() const;
  // Carries until the consumer has to be made anew, or the stream ends or is to move. `first` was read by it already.
  void Run(Consumer* consumer, std::optional<Batch> first = {});
  // The consumer that follows is another: what the last one is still to be told is of no use to it.
  void ForgetTokens();
  // Brings home what is on its way, and tells the source, before another consumer goes on. False: not until `deadline`,
  // or the stream is told to stop.
  bool Settle(Consumer* consumer, StreamControl::TimePoint deadline);
  // Another consumer exists, without a position: what a source that cannot resume has given to this one alone is taken
  // over, and brought home. DEADLINE_EXCEEDED: not in time. ABORTED: it can resume, and what it has given now the other
  // one would give again.
  Error TakeRest(Consumer* consumer, StreamControl::TimePoint deadline);
  // The stream ends, perhaps with something still on its way.
  void End();
  // After the last confirmed batch: where a successor starts.
  const ResumePoint& point() const { return begun_ ? progress_.point() : start_; }

 private:
  Error Open();
  std::size_t SharedEnvelopeBytesMax() const;
  void AwaitConfirmed(Consumer* consumer, std::uint64_t ticket, std::chrono::milliseconds timeout);
  void PublishAgain(Consumer* consumer);
  void ReapConfirmed(Consumer* consumer);
  // Tells the source what is safe; again, after a back-off, where that failed.
  void Acknowledge(Consumer* consumer);
  // Publishes the window's rest and reacts to the transport's errors. False: wait and come back.
  bool PublishWindow(Consumer* consumer);
  bool DropRefused(const Error& error);  // false: the policy is to wait
  void Accept(const Batch& batch);
  void DrainWindow(Consumer* consumer, StreamControl::TimePoint deadline);
  StreamControl::TimePoint DrainDeadline() const;
  void ReportWindow();

  StreamControl::TimePoint Now() const { return environment_->clock->Now(); }

  const StreamSpec* const stream_;
  const StreamEnvironment* const environment_;
  StreamControl* const control_;
  StreamHealth* const health_;
  Ledger* const ledger_;
  ResumePoint start_;
  bool begun_ = false;
  IngressProgress progress_;
  // Both outlive the consumer, which may be another after an error: what it gave stays on its way.
  std::unique_ptr<Window> window_;
  std::unique_ptr<Publisher> publisher_;
  bool publisher_refused_ = false;  // it has to be opened anew
  bool publish_alert_ = false;
  bool settling_ = false;
  std::optional<std::uint64_t> unacknowledged_;  // the token that is to be acknowledged
  std::chrono::steady_clock::time_point acknowledge_at_{};
};

}  // namespace kps
