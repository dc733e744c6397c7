#include "host/core/stream_control.h"

#include <algorithm>
#include <utility>

namespace kps {

bool StreamControl::Stop(StopMode mode, TimePoint deadline) {
  MutexLock lock(mutex_);
  if (stop_requested_) return false;
  stop_requested_ = true;
  drain_deadline_ = deadline.time_since_epoch().count();
  stop_mode_ = mode;
  stopping_ = true;
  changed_.NotifyAll();
  if (waker_) waker_->Wake();
  return true;
}

bool StreamControl::DrainInstead(TimePoint deadline) {
  MutexLock lock(mutex_);
  if (ended_) return false;
  drain_deadline_ = deadline.time_since_epoch().count();
  stop_mode_ = StopMode::kDrain;
  return true;
}

void StreamControl::TryAgain(Waiting which) {
  MutexLock lock(mutex_);
  if (which == Waiting::kAll) {
    try_again_ = true;
  } else if (carrying_) {
    return;  // it runs: a failure later on has nothing to do with now
  } else {
    try_failed_again_ = true;
  }
  changed_.NotifyAll();
}

bool StreamControl::WaitUntilSettled(std::chrono::milliseconds timeout) {
  const auto deadline = clock_->Now() + timeout;
  MutexLock lock(mutex_);
  while (!settled_ && !stop_requested_) {
    if (!clock_->WaitUntil(&changed_, &mutex_, deadline)) return settled_ || stop_requested_;
  }
  return true;
}

bool StreamControl::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

bool StreamControl::WaitUntilEnded(TimePoint deadline, const std::atomic<bool>* interrupted) {
  MutexLock lock(mutex_);
  while (!ended_ && !(interrupted != nullptr && *interrupted)) {
    if (!clock_->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  return ended_;
}

void StreamControl::Nudge() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

void StreamControl::Launch() {
  MutexLock lock(mutex_);
  launched_ = true;
  changed_.NotifyAll();
}

bool StreamControl::AwaitLaunch() {
  MutexLock lock(mutex_);
  while (!launched_ && !stop_requested_) changed_.Wait(mutex_);
  return launched_;
}

Waker* StreamControl::BeginInstance(std::unique_ptr<Waker> waker) {
  MutexLock lock(mutex_);
  waker_ = std::move(waker);
  if (stop_requested_) waker_->Wake();
  try_again_ = false;
  try_failed_again_ = false;
  return waker_.get();
}

void StreamControl::EndInstance() {
  MutexLock lock(mutex_);
  waker_.reset();
}

void StreamControl::MarkSettled() {
  MutexLock lock(mutex_);
  settled_ = true;
  changed_.NotifyAll();
}

bool StreamControl::EndToHandOver() {
  MutexLock lock(mutex_);
  if (stop_mode_ == StopMode::kDrain) return false;
  ended_ = true;
  changed_.NotifyAll();
  return true;
}

void StreamControl::End() {
  MutexLock lock(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

bool StreamControl::WaitForStop(std::chrono::milliseconds timeout) {
  const auto deadline = clock_->Now() + timeout;
  MutexLock lock(mutex_);
  while (!stop_requested_) {
    if (!clock_->WaitUntil(&changed_, &mutex_, deadline)) return stop_requested_;
  }
  return true;
}

void StreamControl::Pause(std::chrono::milliseconds timeout) {
  const auto deadline = clock_->Now() + timeout;
  MutexLock lock(mutex_);
  while (clock_->WaitUntil(&changed_, &mutex_, deadline)) {
  }
}

void StreamControl::WaitToTryAgain(Waiting kind, std::chrono::milliseconds timeout) {
  const auto deadline = clock_->Now() + timeout;
  MutexLock lock(mutex_);
  while (!stop_requested_ && !try_again_ && !(kind == Waiting::kFailed && try_failed_again_)) {
    if (!clock_->WaitUntil(&changed_, &mutex_, deadline)) break;
  }
  try_again_ = false;
  try_failed_again_ = false;
}

bool StreamControl::IsToEnd() const {
  if (!stopping_) return false;
  return stop_mode_ == StopMode::kHandOver || clock_->Now() >= drain_deadline();
}

std::chrono::milliseconds StreamControl::Bounded(std::chrono::milliseconds timeout) const {
  constexpr std::chrono::milliseconds kMoment{100};
  if (!draining()) return timeout;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(drain_deadline() - clock_->Now());
  return std::clamp(left, kMoment, std::max(timeout, kMoment));
}

}  // namespace kps
