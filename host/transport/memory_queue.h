// The bounded queue of one subscription of the memory transport. Internal to host/transport.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/mutex.h"

namespace kps {

class MemoryQueue {
 public:
  MemoryQueue(std::size_t envelopes_max, std::size_t bytes_max)
      : envelopes_max_(envelopes_max), bytes_max_(bytes_max) {}

  // Room for one envelope, kept until Push or Cancel. An empty queue has room for an envelope of any size.
  enum class Reservation { kMade, kFull, kClosed };
  Reservation Reserve(std::size_t bytes, std::chrono::steady_clock::time_point deadline);
  void Cancel(std::size_t bytes);
  void Push(std::string_view envelope);

  // No further reservations. What was reserved may still be pushed.
  void Close();

  enum class Take { kTaken, kTimeout, kClosed };  // kClosed: nothing will come any more
  // Swaps the oldest envelope into *envelope, whose buffer is used again.
  Take Pop(std::string* envelope, std::chrono::steady_clock::time_point deadline);

 private:
  const std::size_t envelopes_max_;
  const std::size_t bytes_max_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> envelopes_ KPS_GUARDED_BY(mutex_);
  std::vector<std::string> spare_ KPS_GUARDED_BY(mutex_);  // buffers to use again
  std::size_t reserved_ KPS_GUARDED_BY(mutex_) = 0;        // envelopes
  std::size_t bytes_ KPS_GUARDED_BY(mutex_) = 0;           // queued and reserved
  bool closed_ KPS_GUARDED_BY(mutex_) = false;
};

}  // namespace kps
