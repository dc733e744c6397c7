#include "host/core/ingress_progress.h"

#include <utility>

#include "host/core/run_id.h"

namespace kps {

void IngressProgress::Begin(ResumePoint point, std::chrono::milliseconds timeout) {
  point_ = std::move(point);
  if (!point_.run.empty()) return;
  point_.run = MakeRunId();
  if (store_ == nullptr) return;
  (void)store_->PutResumePoint(stream_id_, point_.position, point_.run, point_.message_count);
  // A store that cannot save says so itself, and messages go on meanwhile.
  if (timeout.count() > 0) (void)store_->Flush(timeout);
}

void IngressProgress::ForgetTokens() {
  waiting_.reset();
  newest_.reset();
}

void IngressProgress::Confirm(const Window::Confirmed& batch) {
  point_.position.assign(batch.position);
  point_.message_count += batch.message_count;
  Pending pending{batch.token, 0};
  if (store_ != nullptr) {
    pending.save = store_->PutResumePoint(stream_id_, point_.position, point_.run, point_.message_count);
  }
  newest_ = pending;
  if (!waiting_) waiting_ = pending;
}

std::optional<std::uint64_t> IngressProgress::TakeToken() {
  if (!waiting_) return std::nullopt;
  const std::uint64_t stored = store_ == nullptr ? 0 : store_->stored();
  if (newest_->save <= stored) {
    const auto token = newest_->token;
    ForgetTokens();
    return token;
  }
  if (waiting_->save > stored) return std::nullopt;
  const auto token = waiting_->token;
  waiting_ = newest_;
  return token;
}

}  // namespace kps
