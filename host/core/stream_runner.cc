#include "host/core/stream_runner.h"

#include <functional>
#include <utility>

#include "host/core/json.h"

namespace kps {
namespace {

// Alerts and statuses that clients know: names and texts are part of the contract.
constexpr char kStarted[] = "streamStarted";
constexpr char kHealthyId[] = "streamHealthy";
constexpr char kUnhealthyId[] = "streamUnhealthy";
constexpr char kFailedId[] = "streamFailed";
constexpr char kSubscribeFailed[] = "transportSubscribeFailed";

}  // namespace

StreamRunner::StreamRunner(StreamSpec stream, std::shared_ptr<Connector> connector, Environment environment,
                           std::shared_ptr<StreamRunner> predecessor)
    : stream_(std::move(stream)),
      connector_(std::move(connector)),
      environment_(environment),
      predecessor_(std::move(predecessor)),
      backoff_(std::hash<std::string>()(stream_.id)) {
  const bool inherits = predecessor_ && predecessor_->stop_mode_ == StopMode::kHandOver &&
                        predecessor_->stream().direction == Direction::kEgress;
  if (stream_.direction == Direction::kEgress && !inherits) {
    (void)EnsureSubscribed();  // raised as an alert; the stream's thread tries again
  }
  MutexLock lock(join_mutex_);
  thread_ = std::thread([this] { Run(); });
}

StreamRunner::~StreamRunner() {
  RequestStop(StopMode::kHandOver);
  Join();
}

void StreamRunner::RequestStop(StopMode mode) {
  MutexLock lock(mutex_);
  if (stop_requested_) return;
  stop_requested_ = true;
  stop_mode_ = mode;
  stopping_ = true;
  changed_.NotifyAll();
  if (waker_) waker_->Wake();
  if (mode == StopMode::kDrain && handover_.subscription) handover_.subscription->Drain();
}

void StreamRunner::Join() {
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

bool StreamRunner::WaitForStop(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (!stop_requested_) {
    if (!changed_.WaitUntil(mutex_, deadline)) return stop_requested_;
  }
  return true;
}

void StreamRunner::Run() {
  AdoptPredecessor();
  while (!Stopping()) {
    auto waker = connector_->CreateWaker(stream_.id);
    if (!waker.ok()) {
      ReactToError("prepare the stream", waker.error());
      continue;
    }
    {
      MutexLock lock(mutex_);
      waker_ = std::move(waker.value());
      if (stop_requested_) waker_->Wake();
    }
    RunInstance();
    MutexLock lock(mutex_);
    waker_.reset();
  }
  subscribed_ = false;
  ended_ = true;
}

void StreamRunner::AdoptPredecessor() {
  if (!predecessor_) return;
  const auto predecessor = std::move(predecessor_);
  predecessor->Join();
  if (predecessor->stop_mode_ != StopMode::kHandOver) return;
  Handover& left = predecessor->handover_;
  // Other metadata may name another source, in which the old position means nothing.
  if (predecessor->stream().metadata_json == stream_.metadata_json) handover_.position = std::move(left.position);
  handover_.undelivered = std::move(left.undelivered);
  MutexLock lock(mutex_);
  if (!handover_.subscription) handover_.subscription = std::move(left.subscription);
}

void StreamRunner::RunInstance() {
  Waker* waker = waker_.get();
  if (stream_.direction == Direction::kIngress) {
    auto consumer = connector_->CreateConsumer(stream_, handover_.position, waker);
    if (!consumer.ok()) return ReactToError("create the consumer", consumer.error());
    ReportStarted();
    RunIngress(consumer.value().get());
  } else {
    if (const Error error = EnsureSubscribed(); !error.ok()) return ReactToError("subscribe", error);
    auto producer = connector_->CreateProducer(stream_, waker);
    if (!producer.ok()) return ReactToError("create the producer", producer.error());
    ReportStarted();
    RunEgress(producer.value().get());
  }
}

void StreamRunner::ReactToError(const char* doing, const Error& error) {
  // The stop itself makes blocked calls fail: that is no news.
  if (Stopping()) return;
  const std::string reason = std::string("cannot ") + doing + ": " + error.ToString();
  subscribed_ = false;
  if (!error.transient()) {
    ReportFailed(reason);
    WaitForStop();
    return;
  }
  WarnUnhealthy(reason);
  WaitForStop(std::max(backoff_.Next(), error.retry_after()));
}

void StreamRunner::ReportStarted() {
  if (Stopping()) return;
  environment_.events->Put({EventKind::kStatus, kStarted, stream_.id, "stream has successfully started",
                            Severity::kUnspecified, State::kProvisioned, 0,
                            JsonOfStrings({{"StreamID", stream_.id}})});
  Log(LogLevel::kInfo, std::string(DirectionName(stream_.direction)) + " stream started on channel " + stream_.channel);
}

void StreamRunner::ReportHealthy() {
  if (health_ == Health::kHealthy || Stopping()) return;
  if (health_ == Health::kUnhealthy) Log(LogLevel::kInfo, "stream is healthy again");
  health_ = Health::kHealthy;
  unhealthy_reason_.clear();
  subscribed_ = true;
  backoff_.Reset();
  EventStore& events = *environment_.events;
  events.Clear(EventKind::kStatus, kUnhealthyId, stream_.id);
  ClearAlert(kFailedId);
  events.Put({EventKind::kStatus, kHealthyId, stream_.id, "stream is healthy", Severity::kUnspecified, State::kHealthy,
              0, JsonOfStrings({{"StreamID", stream_.id}})});
}

void StreamRunner::WarnUnhealthy(const std::string& reason) {
  if (health_ == Health::kUnhealthy && unhealthy_reason_ == reason) return;
  ReportUnhealthy(reason);
  Log(LogLevel::kWarn, reason + "; trying again");
}

void StreamRunner::ReportUnhealthy(const std::string& reason) {
  if (Stopping()) return;
  health_ = Health::kUnhealthy;
  unhealthy_reason_ = reason;
  subscribed_ = false;
  EventStore& events = *environment_.events;
  events.Clear(EventKind::kStatus, kHealthyId, stream_.id);
  events.Put({EventKind::kStatus, kUnhealthyId, stream_.id, "stream is unhealthy", Severity::kUnspecified,
              State::kUnhealthy, 0, JsonOfStrings({{"StreamID", stream_.id}, {"ErrorMessage", reason}})});
}

void StreamRunner::ReportFailed(const std::string& reason) {
  if (Stopping()) return;
  ReportUnhealthy(reason);
  health_ = Health::kFailed;
  RaiseAlert(kFailedId, "stream has failed", Severity::kCritical, reason);
  Log(LogLevel::kError, reason + "; waiting for a new stream, config or plugin");
}

void StreamRunner::RaiseAlert(const char* id, const char* message, Severity severity, const std::string& reason) {
  if (Stopping()) return;
  environment_.events->Put({EventKind::kAlert, id, stream_.id, message, severity, State::kFailed, 0,
                            JsonOfStrings({{"StreamID", stream_.id}, {"ErrorMessage", reason}})});
}

void StreamRunner::ClearAlert(const char* id) { environment_.events->Clear(EventKind::kAlert, id, stream_.id); }

void StreamRunner::Log(LogLevel level, const std::string& text) { environment_.logger->Log(level, stream_.id, text); }

Error StreamRunner::EnsureSubscribed() {
  if (handover_.subscription) return {};
  auto subscription = environment_.transport->Subscribe(stream_.channel);
  if (!subscription.ok()) {
    RaiseAlert(kSubscribeFailed, "failed to subscribe to transport", Severity::kCritical,
               subscription.error().ToString());
    return subscription.error();
  }
  ClearAlert(kSubscribeFailed);
  MutexLock lock(mutex_);
  handover_.subscription = std::move(subscription.value());
  return {};
}

}  // namespace kps
