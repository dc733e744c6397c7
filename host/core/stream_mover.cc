#include "host/core/stream_mover.h"

#include <system_error>
#include <utility>

namespace kps {

StreamMover::StreamMover(MoveNext move_next, EndingThreads* ending, std::chrono::milliseconds settle_timeout)
    : move_next_(std::move(move_next)), ending_(ending), settle_timeout_(settle_timeout) {}

StreamMover::~StreamMover() { Stop(); }

void StreamMover::Start(std::shared_ptr<Connector> retired) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  retired_.push_back(std::move(retired));
  if (running_) return;
  if (thread_.joinable()) thread_.join();  // it has nothing left to do
  try {
    thread_ = std::thread([this] { Run(); });
    running_ = true;
  } catch (const std::system_error&) {
    // There is none now.
  }
}

void StreamMover::Stop() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void StreamMover::Run() {
  std::vector<std::shared_ptr<Connector>> retired;
  do {
    {
      MutexLock lock(mutex_);
      retired.swap(retired_);
    }
    if (!MoveAll()) return;
    for (auto& connector : retired) ending_->LetGo(std::move(connector));
    retired.clear();
  } while (AnythingNew());
}

bool StreamMover::MoveAll() {
  while (!stopping()) {
    const Moved moved = move_next_();
    if (!moved.runner) return true;
    if (moved.carried) (void)moved.runner->WaitUntilSettled(settle_timeout_);
  }
  return false;
}

bool StreamMover::stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

bool StreamMover::AnythingNew() {
  MutexLock lock(mutex_);
  if (retired_.empty()) running_ = false;
  return running_;
}

}  // namespace kps
