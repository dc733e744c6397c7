#include "host/transport/memory_queue.h"

#include <utility>

namespace kps {
namespace {

// Buffers kept for reuse; more would only hold memory.
constexpr std::size_t kSpareMax = 1024;

}  // namespace

MemoryQueue::Reservation MemoryQueue::Reserve(std::size_t bytes, std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (true) {
    if (closed_) return Reservation::kClosed;
    const std::size_t count = envelopes_.size() + reserved_;
    if (count == 0 || (count < envelopes_max_ && bytes_ + bytes <= bytes_max_)) break;
    if (std::chrono::steady_clock::now() >= deadline) return Reservation::kFull;
    changed_.WaitUntil(mutex_, deadline);
  }
  ++reserved_;
  bytes_ += bytes;
  return Reservation::kMade;
}

void MemoryQueue::Cancel(std::size_t bytes) {
  MutexLock lock(mutex_);
  --reserved_;
  bytes_ -= bytes;
  changed_.NotifyAll();
}

void MemoryQueue::Push(std::string_view envelope) {
  MutexLock lock(mutex_);
  --reserved_;
  std::string buffer;
  if (!spare_.empty()) {
    buffer = std::move(spare_.back());
    spare_.pop_back();
  }
  buffer.assign(envelope);
  envelopes_.push_back(std::move(buffer));
  changed_.NotifyAll();
}

void MemoryQueue::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

MemoryQueue::Take MemoryQueue::Pop(std::string* envelope, std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (envelopes_.empty()) {
    if (closed_ && reserved_ == 0) return Take::kClosed;
    if (std::chrono::steady_clock::now() >= deadline) return Take::kTimeout;
    changed_.WaitUntil(mutex_, deadline);
  }
  std::swap(*envelope, envelopes_.front());
  if (spare_.size() < kSpareMax) spare_.push_back(std::move(envelopes_.front()));
  envelopes_.pop_front();
  bytes_ -= envelope->size();
  changed_.NotifyAll();
  return Take::kTaken;
}

}  // namespace kps
