// What every stream needs of the host.
#pragma once

#include <chrono>

#include "host/core/clock.h"
#include "host/core/dead_letters.h"
#include "host/core/ending_threads.h"
#include "host/core/event_store.h"
#include "host/core/ledger.h"
#include "host/core/logger.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"
#include "host/core/state_store.h"
#include "host/core/transport.h"
#include "host/core/window.h"

namespace kps {

// Everything it points to outlives the streams.
struct StreamEnvironment {
  Transport* transport = nullptr;
  EventStore* events = nullptr;
  Logger* logger = nullptr;
  const Clock* clock = nullptr;
  StateStore* state = nullptr;  // null: nothing survives the process
  Ledgers* ledgers = nullptr;
  PluginCalls* calls = nullptr;
  EndingThreads* ending = nullptr;
  BatchLimits batch{512, 1024 * 1024};
  Window::Limits window{};
  FailurePolicy policy{};
  std::chrono::milliseconds drain_timeout{10'000};
};

}  // namespace kps
