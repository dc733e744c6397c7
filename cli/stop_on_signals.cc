#include "cli/stop_on_signals.h"

namespace kps::cli {

StopOnSignals::StopOnSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  waiter_ = std::thread([this] {
    int signal = 0;
    sigwait(&signals_, &signal);
    stop_.request_stop();
  });
}

StopOnSignals::~StopOnSignals() {
  // Ends the wait where no signal came; blocked everywhere else, a second one stays pending.
  // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): blocked, it does not end the process
  if (!stop_.stop_requested()) pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
}

}  // namespace kps::cli
