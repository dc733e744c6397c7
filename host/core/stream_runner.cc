#include "host/core/stream_runner.h"

#include <string>
#include <system_error>
#include <utility>

namespace kps {

Result<std::shared_ptr<StreamRunner>> StreamRunner::Create(StreamSpec stream, StreamEnvironment environment) {
  try {
    return std::make_shared<StreamRunner>(std::move(stream), std::move(environment));
  } catch (const std::system_error& error) {
    return Error(Code::kResourceExhausted, std::string("the system gives no thread for it: ") + error.what());
  }
}

StreamRunner::StreamRunner(StreamSpec stream, StreamEnvironment environment)
    : stream_(std::move(stream)),
      environment_(std::move(environment)),
      control_(environment_.clock),
      health_(&stream_, &environment_, &control_) {
  MutexLock lock(join_mutex_);
  thread_ = WatchedThread([this] { Run(); });
}

void StreamRunner::Launch(std::shared_ptr<Connector> connector, std::shared_ptr<StreamRunner> predecessor,
                          ResumePoint saved) {
  connector_ = std::move(connector);
  ledger_ = environment_.ledgers->Open(stream_.id, stream_.direction);
  health_.CountIn(ledger_.get());
  const StreamContext context{&stream_, &environment_, &control_, &health_, ledger_.get()};
  if (stream_.direction == Direction::kIngress) {
    ingress_.emplace(context, std::move(saved));
  } else {
    egress_.emplace(context);
    const bool inherits =
        predecessor && predecessor->egress_ && predecessor->control_.stop_mode() == StopMode::kHandOver;
    // Where it fails, the stream's thread tries again, and says so.
    if (!inherits && !environment_.transport->KeepsMessages()) (void)egress_->Subscribe();
  }
  {
    MutexLock lock(mutex_);
    predecessor_ = std::move(predecessor);
  }
  control_.Launch();
}

StreamRunner::~StreamRunner() {
  RequestStop(StopMode::kHandOver);
  JoinThread();
}

void StreamRunner::RequestStop(StopMode mode, StreamControl::TimePoint drain_deadline) {
  health_.events().Close();
  if (!control_.Stop(mode, drain_deadline)) return;
  if (egress_ && mode == StopMode::kDrain) egress_->Drain();
  if (const auto former = predecessor()) former->control_.Nudge();
}

void StreamRunner::JoinThread() {
  control_.AwaitEnded();  // until then, the thread may be another
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void StreamRunner::Join() {
  JoinThread();
  if (const auto former = predecessor()) former->Join();
}

void StreamRunner::Run() {
  if (!control_.AwaitLaunch()) return control_.End();
  if (!AdoptPredecessor()) return End();
  PluginCalls::Mark mark(environment_.calls, stream_.id);
  TakeTurn(connector_, &mark);
  begun_ = true;
  if (ingress_) ingress_->Begin();
  health_.events().Open();
  Carry(&mark);
}

void StreamRunner::TakeTurn(std::shared_ptr<Connector> connector, const PluginCalls::Mark* mark) {
  connector_ = std::move(connector);
  // What other connectors have said about the stream speaks of instances that are gone.
  environment_.events->KeepOrigin(stream_.id, connector_->origin());
  MutexLock lock(mutex_);
  mark_ = mark;
}

std::string StreamRunner::Position() const { return std::string(ingress_ ? ingress_->NextPosition() : ""); }

void StreamRunner::Carry(PluginCalls::Mark* mark, Carried former) {
  while (!control_.stopping() || MustStillDeliver()) {
    if (auto move = former == Carried::kGivenUp ? nullptr : control_.TakeMove()) {
      std::unique_ptr<Instance> none;
      if (HandOver(std::move(move), &none)) return;
      continue;
    }
    former = Carried::kToItsEnd;
    drain_tried_ = control_.stopping();
    control_.BeginInstance();
    auto instance = std::make_unique<Instance>(connector_.get(), &stream_, &control_, mark);
    InstanceError failed = instance->error();
    if (failed.error.ok() && egress_) failed = {"subscribe", egress_->Subscribe()};
    if (failed.error.ok()) {
      instance->Make(Position());
      failed = instance->error();
    }
    if (!failed.error.ok()) {
      instance.reset();
      health_.ReactToError(failed.doing, failed.error);
      continue;
    }
    former = CarryWith(std::move(instance), {});
    if (former == Carried::kByAnother) return;
  }
  {
    MutexLock lock(mutex_);
    mark_ = nullptr;
  }
  if (ingress_) ingress_->End();
  End();
}

StreamRunner::Carried StreamRunner::CarryWith(std::unique_ptr<Instance> instance, std::optional<Batch> first) {
  health_.events().Started();
  control_.MarkSettled();
  if (ingress_) ingress_->ForgetTokens();
  for (;;) {
    instance->BeginToCarry();
    if (ingress_) {
      ingress_->Run(instance->consumer(), std::exchange(first, {}));
    } else {
      egress_->Run(instance->producer());
    }
    auto move = control_.stopping() || health_.failed() ? nullptr : control_.TakeMove();
    if (!move) {
      // One that had failed before has not tried for the stop.
      if (control_.stopping() && !health_.failed()) drain_tried_ = true;
      return Carried::kToItsEnd;
    }
    if (HandOver(std::move(move), &instance)) return Carried::kByAnother;
    if (!instance) return Carried::kGivenUp;
  }
}

// Told to drain before an instance could be made that delivers what has arrived. One try is made.
bool StreamRunner::MustStillDeliver() const {
  return control_.draining() && !drain_tried_ && egress_ && egress_->subscribed();
}

void StreamRunner::End() {
  control_.SetCarrying(false);
  // A stream that has ended may be kept for a while; its connector may not.
  connector_.reset();
  if (control_.EndToHandOver()) return;
  ReportUndelivered();
  control_.End();
}

void StreamRunner::ReportUndelivered() {
  if (!egress_) return;
  const std::size_t lost = egress_->End();
  if (begun_) {
    ledger_->Miss(DropReason::kStopped, lost);
  } else {
    missed_ += lost;
  }
}

}  // namespace kps
