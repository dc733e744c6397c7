// Calls of the plugin that do not return: in the events, in the states of their streams, and in the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "host/core/clock.h"
#include "host/core/event.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/plugin_calls.h"
#include "host/core/reconciler.h"

namespace kps {

class LastingCalls {
 public:
  // Tells of calls that last so much longer than their timeouts. `calls` outlives this; `clock` is asked here alone.
  LastingCalls(const PluginCalls* calls, const Clock* clock, std::chrono::milliseconds told_beyond);

  // Any thread, as all of it. `desired` are the streams: of others nothing is told.

  // An alert for each; its stream is unhealthy.
  void AddTo(std::vector<Event>* events, const std::vector<StreamView>& desired) const;
  // Their streams carry nothing.
  void ShowIn(std::vector<StreamView>* desired) const;
  // A line for each that has begun to last, or has returned, since the last call.
  void LogChanges(Logger* logger, const std::vector<StreamView>& desired);

 private:
  // One for each stream at most.
  std::vector<PluginCall> Of(const std::vector<StreamView>& desired) const;

  const PluginCalls* const calls_;
  const std::chrono::milliseconds told_beyond_;
  const std::int64_t epoch_ns_;  // of the clock, where the marks of calls begin to count
  Mutex mutex_;
  std::set<std::string> logged_ KPS_GUARDED_BY(mutex_);  // streams; empty: the connector
};

}  // namespace kps
