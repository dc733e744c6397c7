#include "host/core/ending_threads.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace kps {

WatchedThread::WatchedThread(std::function<void()> run)
    : thread_([run = std::move(run), end = end_]() mutable {
        run();
        run = nullptr;  // what it holds goes before the end
        std::function<void()> call;
        {
          MutexLock lock(end->mutex);
          end->reached = true;
          end->changed.NotifyAll();
          call = std::move(end->call);
        }
        if (call) call();
      }) {}

bool WatchedThread::ended() const {
  MutexLock lock(end_->mutex);
  return end_->reached;
}

bool WatchedThread::WaitUntilEnded(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) const {
  const std::stop_callback nudge(stop, [this] {
    MutexLock lock(end_->mutex);
    end_->changed.NotifyAll();
  });
  MutexLock lock(end_->mutex);
  while (!end_->reached && !stop.stop_requested()) {
    if (!end_->changed.WaitUntil(end_->mutex, deadline)) break;
  }
  return end_->reached;
}

void WatchedThread::WhenEnded(std::function<void()> call) {
  {
    MutexLock lock(end_->mutex);
    if (!end_->reached) {
      end_->call = std::move(call);
      return;
    }
  }
  call();
}

EndingThreads::EndingThreads() : reaper_([this] { Reap(); }) {}

EndingThreads::~EndingThreads() {
  AwaitAll();
  {
    MutexLock lock(mutex_);
    closing_ = true;
    changed_.NotifyAll();
  }
  reaper_.join();
}

void EndingThreads::Add(WatchedThread thread, std::shared_ptr<const void> held) {
  thread.WhenEnded([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  threads_.push_back({std::move(thread), std::move(held)});
  changed_.NotifyAll();
}

void EndingThreads::AwaitAll() {
  MutexLock lock(mutex_);
  while (!threads_.empty() || reaping_) changed_.Wait(mutex_);
}

void EndingThreads::Reap() {
  for (;;) {
    std::list<Ending> ended;
    {
      MutexLock lock(mutex_);
      reaping_ = false;
      changed_.NotifyAll();
      for (;;) {
        const auto found =
            std::find_if(threads_.begin(), threads_.end(), [](const Ending& each) { return each.thread.ended(); });
        if (found != threads_.end()) {
          ended.splice(ended.end(), threads_, found);
          reaping_ = true;
          break;
        }
        if (closing_) return;
        changed_.Wait(mutex_);
      }
    }
    ended.front().thread.join();
    LetGo(std::move(ended.front().held));
  }
}

void EndingThreads::LetGo(std::shared_ptr<const void> held) {
  if (!held) return;
  try {
    auto owned = std::make_shared<std::shared_ptr<const void>>(std::move(held));
    Add(WatchedThread([owned] { owned->reset(); }), nullptr);
  } catch (const std::system_error&) {
    // There is no thread for it: it goes here.
  }
}

}  // namespace kps
