// SIGINT and SIGTERM as a stop token.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace kps::cli {

// To be made before any other thread is: those inherit the blocked signals, so that only this one takes them.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();

  std::stop_token token() const { return stop_.get_token(); }

 private:
  sigset_t signals_;
  std::stop_source stop_;
  std::thread waiter_;
};

}  // namespace kps::cli
