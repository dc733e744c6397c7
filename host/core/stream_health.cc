#include "host/core/stream_health.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortWait{1000};
constexpr milliseconds kLogInterval{1000};
constexpr milliseconds kDurabilityInterval{1000};  // between two looks at it

}  // namespace

StreamHealth::StreamHealth(const StreamSpec* stream, const StreamEnvironment* environment, StreamControl* control)
    : stream_(stream),
      environment_(environment),
      control_(control),
      events_(stream, environment->events, environment->logger),
      backoff_(std::hash<std::string>()(stream->id), environment->policy.retry_delay_max) {}

void StreamHealth::ReactToError(const char* doing, const Error& error) {
  // A stop or a move makes blocked calls fail by itself: that is no news.
  if (control_->stopping() || control_->moving()) return;
  const std::string reason = std::string("cannot ") + doing + ": " + error.ToString();
  control_->SetCarrying(false);
  if (error.transient()) {
    ledger_->Retry();
    events_.Unhealthy(reason);
  } else {
    events_.Failed(reason);
  }
  control_->MarkSettled();
  constexpr auto kForEver = std::chrono::hours(24 * 365);
  if (error.transient()) {
    control_->WaitToTryAgain(Waiting::kAll, std::max(backoff_.Next(), error.retry_after()));
  } else {
    control_->WaitToTryAgain(Waiting::kFailed, kForEver);
  }
}

void StreamHealth::ReportHealthy() {
  if (control_->stopping()) return;
  const bool news = events_.Healthy();
  // It may have carried nothing for a moment and be well all the same: it has moved.
  if (!news && control_->carrying()) return;
  control_->SetCarrying(true);
  backoff_.Reset();
}

void StreamHealth::ReportUnhealthy(const std::string& reason) {
  if (control_->stopping()) return;
  control_->SetCarrying(false);
  events_.Unhealthy(reason);
}

void StreamHealth::ReportConnection() {
  if (in_trouble_) return;
  if (environment_->transport->Connected()) {
    ReportHealthy();
    TellDurability();
  } else {
    ReportUnhealthy("the transport is not connected: " + environment_->transport->DisconnectReason());
  }
}

void StreamHealth::TellDurability() {
  const auto now = environment_->clock->Now();
  if (now < durability_look_at_) return;
  durability_look_at_ = now + kDurabilityInterval;
  std::string durability = environment_->transport->Durability(stream_->channel);
  if (durability.empty() || durability == durability_) return;  // not known yet, or nothing is kept
  events_.Tell(kTransportDurability, durability);
  durability_ = std::move(durability);
}

void StreamHealth::WaitShortly() { control_->WaitForStop(std::min(backoff_.Next(), kShortWait)); }

void StreamHealth::ReportUndeliverable(const std::string& what, const std::string& reason) {
  const std::string text = reason + ": " + what + "; " + std::to_string(++undeliverable_) + " so far";
  events_.Raise(kMessageUndeliverable, text);
  // Where nothing can be delivered, a line for each would hold up whoever reads them.
  if (undeliverable_ > 1 && environment_->clock->Now() < undeliverable_logged_at_ + kLogInterval) return;
  undeliverable_logged_at_ = environment_->clock->Now();
  events_.Log(LogLevel::kError, "a message can never be delivered: " + text);
}

}  // namespace kps
