// Tries a connector for a stream on a thread of its own: makes an instance, and asks a consumer for its first batch.
// Where that works the thread may get the stream; else it ends, and nobody has to wait for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/core/ending_threads.h"
#include "host/core/instance.h"
#include "host/core/mutex.h"

namespace kps {

class Trial {
 public:
  struct Setup {
    std::shared_ptr<Connector> connector;
    std::shared_ptr<const void> owner;  // of the next two
    const StreamSpec* stream;
    StreamControl* control;
    std::string position;
    BatchLimits batch;
    PluginCalls* calls;
    const Clock* clock;
  };
  // Of the trial's thread, once it has the stream: carries with the instance, whose first batch is there already.
  // `mark` is the thread's.
  using CarryOn = std::function<void(std::unique_ptr<Instance> instance, std::optional<Batch> first,
                                     std::shared_ptr<Connector> connector, PluginCalls::Mark* mark)>;

  Trial(Setup setup, CarryOn carry_on) : setup_(std::move(setup)), carry_on_(std::move(carry_on)) {}

  // The trial's thread. std::system_error: the system gives no more. Once; `trial` lives as long as the thread.
  static WatchedThread Start(const std::shared_ptr<Trial>& trial);

  // OK: it works, and waits for Adopt or Reject. DEADLINE_EXCEEDED: that is not known in time. CANCELLED: the stream is
  // told to stop.
  Error AwaitResult(std::chrono::steady_clock::time_point deadline);
  // Its thread gets the stream, whose owner waits for the thread from now on. After an OK.
  void Adopt();
  // It destroys what it has made, and ends; what it is still making is woken.
  void Reject();

 private:
  enum class Verdict { kNone, kAdopted, kRejected };

  void Run();
  void Decide(Verdict verdict);
  Error Try(Instance* instance, std::optional<Batch>* first);
  Verdict AwaitVerdict(Error result);

  Setup setup_;
  CarryOn carry_on_;

  Mutex mutex_;
  CondVar changed_;
  std::optional<Error> result_ KPS_GUARDED_BY(mutex_);
  Verdict verdict_ KPS_GUARDED_BY(mutex_) = Verdict::kNone;
  Instance* instance_ KPS_GUARDED_BY(mutex_) = nullptr;  // until the verdict
};

}  // namespace kps
