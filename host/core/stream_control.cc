#include "host/core/stream_control.h"

#include <algorithm>
#include <utility>

namespace kps {
namespace {

// What the end of a move that has not worked takes beyond its deadline.
constexpr std::chrono::milliseconds kMoveGrace{1000};

}  // namespace

bool StreamControl::Stop(StopMode mode, TimePoint deadline) {
  {
    MutexLock lock(mutex_);
    if (stop_requested_) return false;
    stop_requested_ = true;
    drain_deadline_ = deadline.time_since_epoch().count();
    stop_mode_ = mode;
    stopping_ = true;
    changed_.NotifyAll();
    for (Waker* waker : wakers_) waker->Wake();
    interrupted_ = true;
  }
  stop_source_.request_stop();
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

void StreamControl::AwaitEnded() {
  MutexLock lock(mutex_);
  while (!ended_) changed_.Wait(mutex_);
}

void StreamControl::RequestMove(std::shared_ptr<StreamMove> move) {
  MutexLock lock(mutex_);
  if (move->anyway_) {
    settled_ = false;
    owed_.reset();
  } else if (move_ && move_->anyway_) {
    owed_ = move_;
  }
  SetMove(std::move(move));
  if (carrier_ != nullptr) carrier_->Wake();
  interrupted_ = true;
  changed_.NotifyAll();
}

StreamMove::Outcome StreamControl::AwaitMove(StreamMove* move, std::stop_token stop) {
  const std::stop_callback nudge(stop, [this] { Nudge(); });
  MutexLock lock(mutex_);
  const auto given_up = [&]() KPS_REQUIRES(mutex_) { return ended_ || stop_requested_ || stop.stop_requested(); };
  while (!move->outcome_ && !given_up()) {
    // One that is under way is bounded by the deadline itself.
    const auto deadline = move_.get() == move ? move->deadline_ : move->deadline_ + kMoveGrace;
    if (clock_->Now() >= deadline) break;
    (void)clock_->WaitUntil(&changed_, &mutex_, deadline);
  }
  if (move->outcome_) return *move->outcome_;
  if (!given_up()) {
    move->anyway_ = true;
  } else if (move_.get() == move) {
    SettleRefusal(move, Error(Code::kCancelled, "the stream is told to stop"));
    if (carrier_ != nullptr && !stop_requested_) carrier_->Rest();
  }
  return {StreamMove::Result::kStands, {}, {}};
}

StreamMove::Outcome StreamControl::LetStand(StreamMove* move) {
  MutexLock lock(mutex_);
  move->anyway_ = true;
  return {StreamMove::Result::kStands, {}, {}};
}

void StreamControl::SetMove(std::shared_ptr<StreamMove> move) {
  move_ = std::move(move);
  moving_ = move_ != nullptr;
}

void StreamControl::SettleRefusal(StreamMove* move, const Error& error) {
  move->outcome_ = {StreamMove::Result::kRefused, error, {}};
  if (!move_ || move_.get() == move) SetMove(std::exchange(owed_, nullptr));
  changed_.NotifyAll();
}

bool StreamControl::RestCarrier() {
  MutexLock lock(mutex_);
  if (carrier_ != nullptr) carrier_->Rest();
  return std::exchange(interrupted_, false);
}

std::shared_ptr<StreamMove> StreamControl::TakeMove() {
  MutexLock lock(mutex_);
  if (carrier_ != nullptr && !stop_requested_) carrier_->Rest();
  moving_ = false;
  return std::exchange(move_, nullptr);
}

bool StreamControl::DeclineMove(const Error& error) {
  MutexLock lock(mutex_);
  if (!move_ || move_->anyway_) return false;
  const auto move = move_;
  SettleRefusal(move.get(), error);
  if (carrier_ != nullptr && !stop_requested_) carrier_->Rest();
  return true;
}

bool StreamControl::OnlyIfItWorks(const StreamMove& move) const {
  MutexLock lock(mutex_);
  return !move.anyway_;
}

void StreamControl::FinishMove(StreamMove* move, std::chrono::nanoseconds pause) {
  MutexLock lock(mutex_);
  owed_.reset();
  move->outcome_ = {StreamMove::Result::kMoved, {}, pause};
  changed_.NotifyAll();
}

bool StreamControl::RefuseMove(StreamMove* move, const Error& error) {
  MutexLock lock(mutex_);
  if (move->anyway_) return false;
  SettleRefusal(move, error);
  return true;
}

void StreamControl::PutBackMove(std::shared_ptr<StreamMove> move) {
  MutexLock lock(mutex_);
  if (!move_) return SetMove(std::move(move));
  if (!move_->anyway_) owed_ = std::move(move);
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

void StreamControl::BeginInstance() {
  MutexLock lock(mutex_);
  try_again_ = false;
  try_failed_again_ = false;
}

void StreamControl::AddWaker(Waker* waker) {
  MutexLock lock(mutex_);
  wakers_.push_back(waker);
  if (stop_requested_) waker->Wake();
}

void StreamControl::RemoveWaker(Waker* waker) {
  MutexLock lock(mutex_);
  std::erase(wakers_, waker);
  if (carrier_ == waker) carrier_ = nullptr;
}

void StreamControl::SetCarrier(Waker* waker) {
  MutexLock lock(mutex_);
  carrier_ = waker;
  if (waker == nullptr || (stop_requested_ && stop_mode_ != StopMode::kDrain)) return;
  waker->Rest();  // a move that was refused, or the stop, has woken it
  if (move_) waker->Wake();
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
  while (!stop_requested_ && !move_ && !try_again_ && !(kind == Waiting::kFailed && try_failed_again_)) {
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
  if (!stopping_) return timeout;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(drain_deadline() - clock_->Now());
  return std::clamp(left, kMoment, std::max(timeout, kMoment));
}

}  // namespace kps
