#include "host/app/stop.h"

#include <memory>
#include <thread>
#include <utility>

#include "host/core/mutex.h"

namespace kps {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookAgain{100};

// Owned by both sides: the thread may outlive the wait.
class Done {
 public:
  void Set() {
    MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }
  bool WaitUntil(steady_clock::time_point deadline) {
    MutexLock lock(mutex_);
    while (!done_) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    return done_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool done_ KPS_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::vector<PluginCall> StopWithin(std::chrono::milliseconds limit, std::function<void()> stop,
                                   const std::function<std::vector<PluginCall>()>& overdue) {
  const auto done = std::make_shared<Done>();
  std::thread thread([done, stop = std::move(stop)] {
    stop();
    done->Set();
  });
  auto deadline = steady_clock::now() + limit;
  while (!done->WaitUntil(deadline)) {
    if (auto calls = overdue(); !calls.empty()) {
      thread.detach();
      return calls;
    }
    deadline = steady_clock::now() + kLookAgain;
  }
  thread.join();
  return {};
}

}  // namespace kps
