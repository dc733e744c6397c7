// The composition root: makes the parts, runs them until a signal, stops them in order.
#pragma once

#include "host/app/options.h"
#include "host/core/logger.h"

namespace kps {

// Documented in --help.
constexpr int kExitStopped = 0;
constexpr int kExitUsage = 1;
constexpr int kExitPlugin = 2;
constexpr int kExitListen = 3;
constexpr int kExitStuck = 4;
constexpr int kExitUnsaved = 5;

// Runs until SIGTERM or SIGINT; returns the exit code. Called once, on the main thread, before there are others: the
// signals are blocked for all of them.
int Run(const HostOptions& options, Logger* logger);

}  // namespace kps
