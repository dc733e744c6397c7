// A mutex that clang's thread safety analysis understands (-Wthread-safety); with other compilers it is plain
// std::mutex. Members say which mutex guards them: KPS_GUARDED_BY(mutex_).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define KPS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define KPS_THREAD_ANNOTATION(x)
#endif

#define KPS_GUARDED_BY(mutex) KPS_THREAD_ANNOTATION(guarded_by(mutex))
#define KPS_REQUIRES(mutex) KPS_THREAD_ANNOTATION(requires_capability(mutex))
#define KPS_EXCLUDES(mutex) KPS_THREAD_ANNOTATION(locks_excluded(mutex))

namespace kps {

class KPS_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() KPS_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() KPS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class KPS_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) KPS_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() KPS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Used with the Mutex held. Waits may end early: callers check their condition in a loop.
class CondVar {
 public:
  void NotifyAll() { condition_.notify_all(); }
  void Wait(Mutex& mutex) KPS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // false: the deadline has passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) KPS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }

 private:
  std::condition_variable condition_;
};

}  // namespace kps
