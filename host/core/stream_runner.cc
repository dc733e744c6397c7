#include "host/core/stream_runner.h"

#include <string>
#include <system_error>
#include <utility>

#include "host/core/marked_plugin.h"

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
      call_(environment_.calls, stream_.id),
      health_(&stream_, &environment_, &control_) {
  MutexLock lock(join_mutex_);
  thread_ = std::thread([this] { Run(); });
}

void StreamRunner::Launch(std::shared_ptr<Connector> connector, std::shared_ptr<StreamRunner> predecessor,
                          ResumePoint saved) {
  connector_ = std::move(connector);
  ledger_ = environment_.ledgers->Open(stream_.id, stream_.direction);
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
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void StreamRunner::Join() {
  JoinThread();
  if (const auto former = predecessor()) former->Join();
}

void StreamRunner::Run() {
  if (!control_.AwaitLaunch()) return control_.End();
  if (AdoptPredecessor()) {
    begun_ = true;
    Carry();
  }
  control_.SetCarrying(false);
  // A stream that has ended may be kept for a while; its connector may not.
  connector_.reset();
  if (control_.EndToHandOver()) return;
  ReportUndelivered();
  control_.End();
}

void StreamRunner::Carry() {
  if (ingress_) ingress_->Begin();
  health_.events().Open();
  while (!control_.stopping() || MustStillDeliver()) {
    drain_tried_ = control_.stopping();
    auto waker = connector_->CreateWaker(stream_.id);
    if (!waker.ok()) {
      health_.ReactToError("prepare the stream", waker.error());
      continue;
    }
    const bool ran = RunInstance(control_.BeginInstance(std::move(waker.value())));
    control_.EndInstance();
    // One that had failed before has not tried for the stop.
    if (ran && control_.stopping() && !health_.failed()) drain_tried_ = true;
  }
  if (ingress_) ingress_->End();
}

// Told to drain before an instance could be made that delivers what has arrived. One try is made.
bool StreamRunner::MustStillDeliver() const {
  return control_.draining() && !drain_tried_ && egress_ && egress_->subscribed();
}

bool StreamRunner::RunInstance(Waker* waker) {
  const auto create = [&](const char* function, auto&& call) {
    const PluginCalls::Scope scope(&call_, function);
    return call();
  };
  const auto started = [&] {
    health_.events().Started();
    control_.MarkSettled();
  };
  if (ingress_) {
    auto created =
        create("create_consumer", [&] { return connector_->CreateConsumer(stream_, ingress_->NextPosition(), waker); });
    if (!created.ok()) return health_.ReactToError("create the consumer", created.error()), false;
    MarkedConsumer consumer(std::move(created.value()), &call_);
    started();
    ingress_->Run(&consumer);
  } else {
    if (const Error error = egress_->Subscribe(); !error.ok()) return health_.ReactToError("subscribe", error), false;
    auto created = create("create_producer", [&] { return connector_->CreateProducer(stream_, waker); });
    if (!created.ok()) return health_.ReactToError("create the producer", created.error()), false;
    MarkedProducer producer(std::move(created.value()), &call_);
    started();
    egress_->Run(&producer);
  }
  return true;
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
