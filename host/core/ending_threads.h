// Threads of streams that have nothing left to carry, and what they hold. They end soon, unless their plugin does not
// come back: so no stream waits for them.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <thread>

#include "host/core/mutex.h"

namespace kps {

// A thread of which it is known whether it has ended.
class WatchedThread {
 public:
  WatchedThread() = default;
  // std::system_error: the system gives no more threads.
  explicit WatchedThread(std::function<void()> run);

  bool joinable() const { return thread_.joinable(); }
  void join() { thread_.join(); }
  bool ended() const;
  // False: not until `deadline`, or `stop`.
  bool WaitUntilEnded(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop = {}) const;
  // Calls it when the thread has ended, on that thread, or at once. Once.
  void WhenEnded(std::function<void()> call);

 private:
  struct End {
    Mutex mutex;
    CondVar changed;
    bool reached KPS_GUARDED_BY(mutex) = false;
    std::function<void()> call KPS_GUARDED_BY(mutex);
  };

  std::shared_ptr<End> end_ = std::make_shared<End>();
  std::thread thread_;
};

class EndingThreads {
 public:
  EndingThreads();
  ~EndingThreads();

  // `held` is let go soon after the thread has ended, on another one: a library that the thread has called can be
  // unloaded then. Any thread, as what follows.
  void Add(WatchedThread thread, std::shared_ptr<const void> held);
  // Lets go of it on a thread of its own: a destructor of the plugin's may not return.
  void LetGo(std::shared_ptr<const void> held);
  // Waits until all of them have ended, and what they held is gone.
  void AwaitAll();

 private:
  struct Ending {
    WatchedThread thread;
    std::shared_ptr<const void> held;
  };

  void Reap();

  Mutex mutex_;
  CondVar changed_;
  std::list<Ending> threads_ KPS_GUARDED_BY(mutex_);
  bool reaping_ KPS_GUARDED_BY(mutex_) = false;  // one that is not in the list any more
  bool closing_ KPS_GUARDED_BY(mutex_) = false;
  std::thread reaper_;
};

}  // namespace kps
