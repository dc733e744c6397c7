// Waiting for a descriptor and for the host at the same time.
#ifndef KPS_CPP_WAIT_HPP
#define KPS_CPP_WAIT_HPP

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <limits>

#include "failure.hpp"

namespace kps {
namespace plugin {

enum class Wait { kTimeout, kReady, kWoken };

// Waits until `fd` has one of the poll events, the host wakes the stream, or the time is over. Either descriptor
// may be -1. Being woken wins: return to the host with what there is.
inline Wait wait_for(int fd, short events, int wake_fd, std::chrono::milliseconds timeout) {
  const std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    pollfd descriptors[2] = {{wake_fd, POLLIN, 0}, {fd, events, 0}};
    const long long left = std::chrono::duration_cast<std::chrono::milliseconds>(
                               deadline - std::chrono::steady_clock::now() + std::chrono::microseconds(999))
                               .count();
    const int max = std::numeric_limits<int>::max();
    const int wait_ms = left <= 0 ? 0 : left > max ? max : static_cast<int>(left);
    const int count = ::poll(descriptors, 2, wait_ms);
    if (count > 0) return descriptors[0].revents != 0 ? Wait::kWoken : Wait::kReady;
    if (count < 0 && errno != EINTR) throw errno_failure(errno, "poll");
    if (count == 0 && left <= max) return Wait::kTimeout;
  }
}

// Waits for a point in time: kReady when it has come, also when it had before. For sources that are asked every now and
// then. Never longer than `timeout`.
inline Wait wait_until(std::chrono::steady_clock::time_point due, int wake_fd, std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  const std::chrono::steady_clock::duration left = due - std::chrono::steady_clock::now();
  if (left <= left.zero()) return Wait::kReady;
  // Rounded up, so that it has come when the wait is over.
  const milliseconds whole = std::chrono::duration_cast<milliseconds>(left) + milliseconds(1);
  const Wait wait = wait_for(-1, 0, wake_fd, whole < timeout ? whole : timeout);
  if (wait == Wait::kWoken) return wait;
  return std::chrono::steady_clock::now() < due ? Wait::kTimeout : Wait::kReady;
}

}  // namespace plugin
}  // namespace kps

#endif
