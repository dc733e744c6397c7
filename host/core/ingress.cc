#include "host/core/ingress.h"

#include <algorithm>
#include <utility>

#include "host/core/run_id.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

// The transport knows messages by their run: before the first one is published, the run is stored, if it can be.
constexpr milliseconds kRunStoredTimeout{2000};
// How long next_msg may block when nothing is on its way; a stop wakes it.
constexpr milliseconds kIdle{1000};
// How long to wait for a confirm before looking at the consumer again.
constexpr milliseconds kConfirmWait{20};
// Wait after a next_msg that came back empty at once, so that an impolite plugin does not spin: doubled up to the
// longest.
constexpr milliseconds kSpinWaitFirst{1};
constexpr milliseconds kSpinWaitLongest{100};

}  // namespace

Ingress::Ingress(const StreamContext& context, ResumePoint start)
    : stream_(context.stream),
      environment_(context.environment),
      control_(context.control),
      health_(context.health),
      ledger_(context.ledger),
      start_(std::move(start)),
      progress_(environment_->state, stream_->id) {}

void Ingress::Begin() {
  begun_ = true;
  progress_.Begin(std::move(start_), environment_->transport->KeepsMessages() ? kRunStoredTimeout : milliseconds(0));
}

Error Ingress::Open() {
  if (!window_) {
    const std::string own = environment_->transport->KeepsMessages() ? MakeRunId() : "";
    window_ = std::make_unique<Window>(environment_->window, progress_.point().run, own);
  }
  if (publisher_ && !publisher_refused_) return {};
  publisher_refused_ = false;
  publisher_.reset();
  auto opened = environment_->transport->OpenPublisher(stream_->channel);
  if (!opened.ok()) return opened.error();
  publisher_ = std::move(opened.value());
  window_->Rewind();
  return {};
}

std::string_view Ingress::NextPosition() const {
  return window_ && !window_->empty() ? window_->newest_position() : progress_.point().position;
}

void Ingress::Run(Consumer* consumer, std::optional<Batch> first) {
  if (const Error error = Open(); !error.ok()) {
    health_->events().Raise(kTransportPublishFailed, error.ToString());
    publish_alert_ = true;
    return health_->ReactToError("open the channel", error);
  }
  Window& window = *window_;
  health_->SetInTrouble(false);
  milliseconds spin_wait = kSpinWaitFirst;
  bool proven = false;  // the consumer has answered; until then it is asked without waiting: is it healthy?

  if (first) {
    health_->ReportConnection();
    if (!first->messages.empty()) Accept(*first);
    proven = true;
  }

  while (!control_->stopping() && !control_->moving() && !health_->failed()) {
    ReapConfirmed(consumer);
    if (!PublishWindow(consumer)) continue;
    if (window.full()) {
      AwaitConfirmed(consumer, window.OldestTicket(), kIdle);
      continue;
    }
    milliseconds timeout{0};
    if (window.empty() && proven) timeout = progress_.waiting() || unacknowledged_ ? kConfirmWait : kIdle;
    const auto called_at = Now();
    auto batch = consumer->NextBatch(environment_->batch, timeout);
    if (!batch.ok()) {
      // A permanent error waits long: what is on its way is brought home first.
      if (!batch.error().transient()) DrainWindow(consumer, DrainDeadline());
      health_->ReactToError("read the next message", batch.error());
      continue;
    }
    proven = true;
    health_->ReportConnection();
    if (!batch.value().messages.empty()) {
      Accept(batch.value());
      spin_wait = kSpinWaitFirst;
    } else if (!window.empty()) {
      AwaitConfirmed(consumer, window.NewestTicket(), kConfirmWait);
    } else if (Now() - called_at < timeout / 10) {
      control_->WaitForStop(spin_wait);
      spin_wait = std::min(spin_wait * 2, kSpinWaitLongest);
    } else {
      spin_wait = kSpinWaitFirst;
    }
  }
  if (control_->stopping()) DrainWindow(consumer, DrainDeadline());
}

void Ingress::ForgetTokens() {
  progress_.ForgetTokens();
  if (window_) window_->ForgetTokens();
  unacknowledged_.reset();
}

bool Ingress::Settle(Consumer* consumer, StreamControl::TimePoint deadline) {
  if (!window_ || !publisher_) return true;  // nothing was read yet
  settling_ = true;
  DrainWindow(consumer, deadline);
  while (window_->empty() && unacknowledged_ && !control_->stopping() && Now() < deadline) {
    (void)control_->WaitForStop(kConfirmWait);
    Acknowledge(consumer);
  }
  settling_ = false;
  return window_->empty() && !unacknowledged_ && !progress_.waiting() && !control_->stopping();
}

Error Ingress::TakeRest(Consumer* consumer, StreamControl::TimePoint deadline) {
  while (NextPosition().empty()) {
    auto batch = consumer->NextBatch(environment_->batch, milliseconds(0));
    if (!batch.ok() || batch.value().messages.empty()) return {};
    const bool resumes = !batch.value().position.empty();
    Accept(batch.value());
    if (!Settle(consumer, deadline)) {
      return Error(Code::kDeadlineExceeded, "what the former version has read last is not confirmed in time");
    }
    if (resumes) return Error(Code::kAborted, "the former version has read on");
  }
  return {};
}

void Ingress::Accept(const Batch& batch) {
  window_->Push(batch, environment_->clock->NowNs(), Now(), SharedEnvelopeBytesMax());
  ledger_->Accept(batch.messages.size());
  ReportWindow();
}

StreamControl::TimePoint Ingress::DrainDeadline() const {
  return control_->draining() ? control_->drain_deadline() : Now() + environment_->drain_timeout;
}

// The transport's limit is on the headers as well.
std::size_t Ingress::SharedEnvelopeBytesMax() const {
  constexpr std::size_t kHeaders = 512;
  const std::size_t limit = environment_->transport->EnvelopeBytesMax();
  return limit > kHeaders ? limit - kHeaders : limit;
}

void Ingress::AwaitConfirmed(Consumer* consumer, std::uint64_t ticket, milliseconds timeout) {
  const Error error = publisher_->AwaitConfirmed(ticket, timeout);
  // Lost, or refused: the next Publish says which.
  if (!error.ok() && error.code() != Code::kDeadlineExceeded) PublishAgain(consumer);
}

// What is confirmed by now is not lost.
void Ingress::PublishAgain(Consumer* consumer) {
  ReapConfirmed(consumer);
  window_->Rewind();
}

void Ingress::ReapConfirmed(Consumer* consumer) {
  const std::uint64_t ticket = publisher_->Confirmed();
  Window::Confirmed confirmed{};
  while (window_->PopConfirmed(ticket, &confirmed)) {
    const std::chrono::duration<double> latency = Now() - confirmed.accepted_at;
    ledger_->Deliver(confirmed.message_count, latency.count());
    progress_.Confirm(confirmed);
    ReportWindow();
  }
  Acknowledge(consumer);
}

void Ingress::Acknowledge(Consumer* consumer) {
  if (const auto token = progress_.TakeToken()) unacknowledged_ = token;
  if (!unacknowledged_ || (Now() < acknowledge_at_ && !control_->stopping())) return;
  const Error error = consumer->Ack(*unacknowledged_);
  health_->SetInTrouble(!error.ok());
  if (error.ok()) {
    unacknowledged_.reset();
    acknowledge_at_ = {};
    return;
  }
  // The messages are safe; what may follow is that the source sends some of them again.
  constexpr const char* kDoing = "acknowledge to the source";
  if (!error.transient() && !settling_) return health_->ReactToError(kDoing, error);
  acknowledge_at_ = Now() + std::max(health_->NextDelay(), error.retry_after());
  ledger_->Retry();
  health_->ReportUnhealthy(std::string("cannot ") + kDoing + ": " + error.ToString());
}

bool Ingress::PublishWindow(Consumer* consumer) {
  const Error error = window_->PublishTo(publisher_.get());
  if (error.ok()) {
    if (publish_alert_) health_->events().Clear(kTransportPublishFailed);
    publish_alert_ = false;
    return true;
  }
  switch (error.code()) {
    case Code::kInvalidArgument:
      if (!DropRefused(error)) health_->ReactToError("publish", error);
      return false;
    case Code::kResourceExhausted:  // backpressure: try again at once, Publish itself has waited
      return false;
    case Code::kAborted: PublishAgain(consumer); return false;
    default: break;
  }
  if (!publish_alert_) {
    health_->events().Raise(kTransportPublishFailed, error.ToString());
    publish_alert_ = true;
  }
  if (!error.transient()) {
    health_->ReactToError("publish", error);
    publisher_refused_ = true;
    return false;
  }
  health_->ReportUnhealthy("cannot publish: " + error.ToString());
  ledger_->Retry();
  // What was published before the connection went may be lost with it; the publisher says so here.
  if (!window_->empty()) AwaitConfirmed(consumer, publisher_->Confirmed() + 1, milliseconds(0));
  health_->WaitShortly();
  return false;
}

bool Ingress::DropRefused(const Error& error) {
  if (window_->SplitRefused()) return true;
  if (environment_->policy.on_undeliverable == FailurePolicy::OnUndeliverable::kBlock) return false;
  window_->SkipRefused();
  ledger_->Drop(DropReason::kTooLarge);
  // It is no dead letter either: one of that size is refused as well.
  health_->ReportUndeliverable("dropped", error.message());
  return true;
}

void Ingress::ReportWindow() {
  ledger_->SetWindowUse(window_->use());
  ledger_->SetOldest(window_->empty() ? 0 : window_->oldest_accepted_at().time_since_epoch().count());
}

void Ingress::End() {
  if (!window_ || window_->empty()) return;
  // A source that can resume reads again from the last confirmed position.
  if (window_->newest_position().empty()) {
    ledger_->Drop(DropReason::kStopped, window_->message_count());
  } else {
    ledger_->Return(window_->message_count());
  }
  ledger_->SetOldest(0);
  ledger_->SetWindowUse(0);
}

void Ingress::DrainWindow(Consumer* consumer, StreamControl::TimePoint deadline) {
  ReapConfirmed(consumer);
  while (!window_->empty() && Now() < deadline && !(settling_ && control_->stopping())) {
    const Error error = window_->PublishTo(publisher_.get());
    if (error.code() == Code::kInvalidArgument && DropRefused(error)) continue;
    if (!error.ok() && !error.transient()) break;
    if (error.code() == Code::kAborted) PublishAgain(consumer);
    if (error.code() == Code::kUnavailable) control_->Pause(kConfirmWait);  // it may come back in time
    if (!error.ok()) continue;
    AwaitConfirmed(consumer, window_->NewestTicket(), kConfirmWait);
    ReapConfirmed(consumer);
  }
  if (!window_->empty() && !settling_) {
    health_->events().Log(LogLevel::kWarn,
                          std::to_string(window_->message_count()) +
                              " messages were not confirmed in time; a source that resumes sends them again");
  }
  if (!progress_.waiting()) return;
  const auto left = std::max(std::chrono::ceil<milliseconds>(deadline - Now()), kConfirmWait);
  if (environment_->state->Flush(left).ok()) Acknowledge(consumer);
}

}  // namespace kps
