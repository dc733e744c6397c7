#include "host/core/trial.h"

#include <utility>

namespace kps {

WatchedThread Trial::Start(const std::shared_ptr<Trial>& trial) {
  return WatchedThread([trial] { trial->Run(); });
}

Error Trial::AwaitResult(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!result_) {
    if (!setup_.clock->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  if (result_) return *result_;
  return Error(Code::kDeadlineExceeded, "it does not come back in time");
}

void Trial::Run() {
  PluginCalls::Mark mark(setup_.calls, setup_.stream->id);
  auto instance =
      std::make_unique<Instance>(setup_.connector.get(), setup_.stream, setup_.position, setup_.control, &mark);
  const auto named = [](const char* doing, const Error& error) {
    return Error(error.code(), std::string("cannot ") + doing + ": " + error.ToString());
  };
  Error result;
  std::optional<Batch> first;
  if (!instance->error().error.ok()) {
    result = named(instance->error().doing, instance->error().error);
  } else if (instance->consumer() != nullptr) {
    auto batch = instance->consumer()->NextBatch(setup_.batch, std::chrono::milliseconds(0));
    if (batch.ok()) {
      first = batch.value();
    } else {
      result = named("read the next message", batch.error());
    }
  }
  if (AwaitVerdict(std::move(result)) == Verdict::kAdopted) carry_on_(std::move(instance), first, &mark);
}

void Trial::Adopt() {
  // Else the owner might be destroyed by the very thread that it waits for.
  setup_.owner.reset();
  Decide(Verdict::kAdopted);
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
  return verdict_;
}

}  // namespace kps
