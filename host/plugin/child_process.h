// Runs a program in a child process: what crashes, hangs or ends the process there does not do so here. The program
// takes its part with parent_process.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "host/core/error.h"

namespace kps {

struct ChildCommand {
  std::string program;   // its path; /proc/self/exe is this program
  std::string argument;  // the only one
  std::string request;   // may hold secrets: neither on the command line nor in the environment
};

// What the child tells. Both sides know what a code means.
struct ChildFrame {
  // Bytes. Who sends a longer one is not listened to any more.
  static constexpr std::size_t kTextMax = 64 * 1024 * 1024;

  std::int32_t code = 0;
  std::string text;
};

struct ChildEnd {
  enum class How {
    kExited,
    kCrashed,  // by a signal
    kTimeout,
    kStopped,
    kUnknown,  // somebody else waited for it, as where SIGCHLD is ignored
  };

  How how = How::kUnknown;
  int number = 0;         // kExited: the exit code; kCrashed: the signal
  std::string last_line;  // that it wrote to stderr and was not empty, fit for a sentence; empty: none
};

// "exited with code 3", "crashed with SIGSEGV (segmentation fault)", "did not end in time", "was stopped", ...
std::string Describe(const ChildEnd& end);

// Runs `program argument` and returns when it has ended, after `timeout`, or after `stop`. `on_frame` is called with
// every frame, in order, as it comes, on this thread; those that came before the end of the child are not lost. The
// child inherits no descriptor, no blocked or ignored signal; its stdout is /dev/null. It and what it has started are
// gone when this returns, and it ends when this process does. RESOURCE_EXHAUSTED or UNAVAILABLE: it could not be
// started. Any thread.
Result<ChildEnd> RunChild(const ChildCommand& command, std::chrono::milliseconds timeout, const std::stop_token& stop,
                          const std::function<void(ChildFrame)>& on_frame);

}  // namespace kps
