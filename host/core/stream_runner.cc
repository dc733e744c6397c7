#include "host/core/stream_runner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/core/marked_plugin.h"

namespace kps {
StreamRunner::StreamRunner(StreamSpec stream, std::shared_ptr<Connector> connector, Environment environment,
                           std::shared_ptr<StreamRunner> predecessor, ResumePoint saved)
    : stream_(std::move(stream)),
      environment_(environment),
      connector_(std::move(connector)),
      call_(environment.calls, stream_.id),
      events_(&stream_, environment.events, environment.logger),
      backoff_(std::hash<std::string>()(stream_.id), environment.policy.retry_delay_max),
      ledger_(environment.ledgers->Open(stream_.id, stream_.direction)),
      dead_letters_(environment.transport, &stream_, environment.policy.dead_letter_channel),
      progress_(environment.state, stream_.id) {
  handover_.point = std::move(saved);
  const bool inherits = predecessor && predecessor->stop_mode_ == StopMode::kHandOver &&
                        predecessor->stream().direction == Direction::kEgress;
  {
    MutexLock lock(mutex_);
    predecessor_ = std::move(predecessor);
  }
  if (stream_.direction == Direction::kEgress && !inherits && !environment_.transport->KeepsMessages()) {
    (void)EnsureSubscribed();  // the stream's thread tries again, and says so
  }
  MutexLock lock(join_mutex_);
  thread_ = std::thread([this] { Run(); });
}

StreamRunner::~StreamRunner() {
  RequestStop(StopMode::kHandOver);
  JoinThread();
}

void StreamRunner::RequestStop(StopMode mode) {
  MutexLock lock(mutex_);
  if (stop_requested_) return;
  stop_requested_ = true;
  stop_mode_ = mode;
  stopping_ = true;
  events_.Close();
  changed_.NotifyAll();
  if (waker_) waker_->Wake();
  if (mode == StopMode::kDrain && handover_.subscription) handover_.subscription->Drain();
  if (predecessor_) predecessor_->Nudge();
}

void StreamRunner::JoinThread() {
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void StreamRunner::Join() {
  JoinThread();
  if (const auto former = predecessor()) former->Join();
}

bool StreamRunner::WaitForStop(std::chrono::milliseconds timeout) {
  const auto deadline = environment_.clock->Now() + timeout;
  MutexLock lock(mutex_);
  while (!stop_requested_) {
    if (!environment_.clock->WaitUntil(&changed_, &mutex_, deadline)) return stop_requested_;
  }
  return true;
}

void StreamRunner::Pause(std::chrono::milliseconds timeout) {
  const auto deadline = environment_.clock->Now() + timeout;
  MutexLock lock(mutex_);
  while (environment_.clock->WaitUntil(&changed_, &mutex_, deadline)) {
  }
}

void StreamRunner::WaitToTryAgain(Waiting kind, std::chrono::milliseconds timeout) {
  const auto deadline = environment_.clock->Now() + timeout;
  MutexLock lock(mutex_);
  while (!stop_requested_ && !try_again_ && !(kind == Waiting::kFailed && try_failed_again_)) {
    if (!environment_.clock->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  try_again_ = false;
  try_failed_again_ = false;
}

void StreamRunner::TryAgain(Waiting which) {
  MutexLock lock(mutex_);
  if (which == Waiting::kAll) {
    try_again_ = true;
  } else if (subscribed_) {
    return;  // it runs: a failure later on has nothing to do with now
  } else {
    try_failed_again_ = true;
  }
  changed_.NotifyAll();
}

void StreamRunner::MarkSettled() {
  MutexLock lock(mutex_);
  settled_ = true;
  changed_.NotifyAll();
}

bool StreamRunner::WaitUntilSettled(std::chrono::milliseconds timeout) {
  const auto deadline = environment_.clock->Now() + timeout;
  MutexLock lock(mutex_);
  while (!settled_ && !stop_requested_) {
    if (!environment_.clock->WaitUntil(&changed_, &mutex_, deadline)) return settled_ || stop_requested_;
  }
  return true;
}

void StreamRunner::Run() {
  if (AdoptPredecessor()) {
    begun_ = true;
    Carry();
  }
  if (stop_mode_ == StopMode::kDrain) ReportUndelivered();
  subscribed_ = false;
  // A stream that has ended may be kept for a while; its connector may not.
  connector_.reset();
  MutexLock lock(mutex_);
  thread_ended_ = true;
  changed_.NotifyAll();
}

void StreamRunner::Carry() {
  if (stream_.direction == Direction::kIngress) progress_.Begin(std::move(handover_.point));
  events_.Open();
  while (!Stopping() || MustStillDeliver()) {
    drain_tried_ = Stopping();
    auto waker = connector_->CreateWaker(stream_.id);
    if (!waker.ok()) {
      ReactToError("prepare the stream", waker.error());
      continue;
    }
    {
      MutexLock lock(mutex_);
      waker_ = std::move(waker.value());
      if (stop_requested_) waker_->Wake();
      // What was changed until now counts for this instance; what is changed from now on, for the one after it.
      try_again_ = false;
      try_failed_again_ = false;
    }
    RunInstance();
    MutexLock lock(mutex_);
    waker_.reset();
  }
  handover_.point = progress_.point();
  GiveUpWindow();
}

void StreamRunner::ReportUndelivered() {
  std::size_t count = handover_.in_hand.left;
  if (handover_.subscription && handover_.subscription->Return()) {
    ledger_->Return(count);
    if (count > 0) events_.Log(LogLevel::kInfo, "received messages were not delivered in time: they come again");
    return;
  }
  ledger_->Drop(DropReason::kStopped, count);
  if (handover_.subscription) {
    handover_.subscription->Drain();
    std::size_t queued = 0;
    while (handover_.subscription->Receive(std::chrono::milliseconds(0)).ok()) ++queued;
    if (begun_) ledger_->Miss(DropReason::kStopped, queued);
    if (!begun_) handover_.missed += queued;
    count += queued;
  }
  if (count == 0) return;
  events_.Log(LogLevel::kWarn, std::to_string(count) + " received messages were not delivered in time and are lost");
}

bool StreamRunner::MustStillDeliver() {
  return stop_mode_ == StopMode::kDrain && !drain_tried_ && handover_.subscription != nullptr;
}

void StreamRunner::RunInstance() {
  Waker* waker = waker_.get();
  if (stream_.direction == Direction::kIngress) {
    auto created = [&] {
      const PluginCalls::Scope call(&call_, "create_consumer");
      return connector_->CreateConsumer(stream_, NextPosition(), waker);
    }();
    if (!created.ok()) return ReactToError("create the consumer", created.error());
    MarkedConsumer consumer(std::move(created.value()), &call_);
    events_.Started();
    MarkSettled();
    RunIngress(&consumer);
  } else {
    if (const Error error = EnsureSubscribed(); !error.ok()) return ReactToError("subscribe", error);
    auto created = [&] {
      const PluginCalls::Scope call(&call_, "create_producer");
      return connector_->CreateProducer(stream_, waker);
    }();
    if (!created.ok()) return ReactToError("create the producer", created.error());
    MarkedProducer producer(std::move(created.value()), &call_);
    events_.Started();
    MarkSettled();
    RunEgress(&producer);
  }
}

void StreamRunner::ReactToError(const char* doing, const Error& error) {
  // The stop itself makes blocked calls fail: that is no news.
  if (Stopping()) return;
  const std::string reason = std::string("cannot ") + doing + ": " + error.ToString();
  subscribed_ = false;
  if (error.transient()) {
    events_.Unhealthy(reason);
  } else {
    events_.Failed(reason);
  }
  MarkSettled();
  constexpr auto kForEver = std::chrono::hours(24 * 365);
  if (error.transient()) return WaitToTryAgain(Waiting::kAll, std::max(backoff_.Next(), error.retry_after()));
  WaitToTryAgain(Waiting::kFailed, kForEver);
}

void StreamRunner::ReportHealthy() {
  if (Stopping() || !events_.Healthy()) return;
  subscribed_ = true;
  backoff_.Reset();
}

void StreamRunner::ReportUnhealthy(const std::string& reason) {
  if (Stopping()) return;
  subscribed_ = false;
  events_.Unhealthy(reason);
}

void StreamRunner::TellDurability() {
  const std::string durability = environment_.transport->Durability(stream_.channel);
  if (durability.empty()) return;  // not known yet, or nothing is kept
  durability_told_ = true;
  events_.Tell(kTransportDurability, durability);
}

void StreamRunner::ReportConnection() {
  if (in_trouble_) return;
  if (environment_.transport->Connected()) {
    ReportHealthy();
    if (!durability_told_) TellDurability();
  } else {
    durability_told_ = false;
    ReportUnhealthy("the transport is not connected: " + environment_.transport->DisconnectReason());
  }
}

Error StreamRunner::EnsureSubscribed() {
  if (handover_.subscription) return {};
  auto subscription = environment_.transport->Subscribe(stream_.channel, stream_.id);
  if (!subscription.ok()) {
    events_.Raise(kTransportSubscribeFailed, subscription.error().ToString());
    return subscription.error();
  }
  events_.Clear(kTransportSubscribeFailed);
  MutexLock lock(mutex_);
  handover_.subscription = std::move(subscription.value());
  return {};
}

}  // namespace kps
