#include "host/core/trial.h"

#include <utility>

namespace kps {

WatchedThread Trial::Start(const std::shared_ptr<Trial>& trial) {
  return WatchedThread([trial] { trial->Run(); });
}

Error Trial::AwaitResult(std::chrono::steady_clock::time_point deadline) {
  const std::stop_token stop = setup_.control->stop_token();
  const std::stop_callback nudge(stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (!result_ && !stop.stop_requested()) {
    if (!setup_.clock->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  if (result_) return *result_;
  if (stop.stop_requested()) return Error(Code::kCancelled, "the stream is told to stop");
  return Error(Code::kDeadlineExceeded, "it does not come back in time");
}

void Trial::Run() {
  PluginCalls::Mark mark(setup_.calls, setup_.stream->id);
  auto instance = std::make_unique<Instance>(setup_.connector.get(), setup_.stream, setup_.control, &mark);
  {
    MutexLock lock(mutex_);
    instance_ = instance.get();
    if (verdict_ == Verdict::kRejected) instance_->Wake();
  }
  std::optional<Batch> first;
  if (AwaitVerdict(Try(instance.get(), &first)) == Verdict::kRejected) return;
  // From now on the stream has the connector, and lets go of it.
  carry_on_(std::move(instance), first, std::move(setup_.connector), &mark);
}

Error Trial::Try(Instance* instance, std::optional<Batch>* first) {
  const auto named = [](const char* doing, const Error& error) {
    return Error(error.code(), std::string("cannot ") + doing + ": " + error.ToString());
  };
  instance->Make(setup_.position);
  if (!instance->error().error.ok()) return named(instance->error().doing, instance->error().error);
  if (instance->consumer() == nullptr) return {};
  auto batch = instance->consumer()->NextBatch(setup_.batch, std::chrono::milliseconds(0));
  if (!batch.ok()) return named("read the next message", batch.error());
  *first = batch.value();
  return {};
}

void Trial::Adopt() {
  // Else the owner might be destroyed by the very thread that it waits for.
  setup_.owner.reset();
  Decide(Verdict::kAdopted);
}

void Trial::Reject() {
  Decide(Verdict::kRejected);
  MutexLock lock(mutex_);
  if (instance_ != nullptr) instance_->Wake();
}

void Trial::Decide(Verdict verdict) {
  MutexLock lock(mutex_);
  verdict_ = verdict;
  changed_.NotifyAll();
}

Trial::Verdict Trial::AwaitVerdict(Error result) {
  MutexLock lock(mutex_);
  result_ = std::move(result);
  changed_.NotifyAll();
  while (verdict_ == Verdict::kNone) changed_.Wait(mutex_);
  instance_ = nullptr;
  return verdict_;
}

}  // namespace kps
