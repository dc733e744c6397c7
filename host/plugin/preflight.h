// Tries a plugin in a child process first: what crashes, hangs or ends the process there does not do so here.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "host/core/error.h"

namespace kps {

struct PreflightRequest {
  std::string path;
  std::string static_json;  // may hold secrets: neither on a command line nor in the environment
  std::string config_json;
};

// Runs `program --preflight`, which is to call RunPreflight, and waits for it. OK: there the plugin could be loaded,
// and its connector created and destroyed. Else the error of LoadPlugin, that of create_connector, or
//   FAILED_PRECONDITION  it crashed, or ended the process
//   DEADLINE_EXCEEDED    it did not come to an end within `timeout`
//   CANCELLED            `stop`
//   RESOURCE_EXHAUSTED, UNAVAILABLE   the child could not be started: nothing is known about the plugin
// with a sentence that has the last line of what it wrote to stderr. The child and what it has started are gone when
// this returns. Any thread.
Error Preflight(const std::string& program, const PreflightRequest& request, std::chrono::milliseconds timeout,
                const std::stop_token& stop);

// The child. Does not return, unless it was started by somebody else: then it says so and returns an exit code.
int RunPreflight();

}  // namespace kps
