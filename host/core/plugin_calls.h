// Which functions of the plugin are running, so that a person can be told what the host waits for. A plugin that does
// not come back from one holds its thread for good: nothing in C or C++ can end that call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/core/mutex.h"

namespace kps {

struct PluginCall {
  std::string stream_id;  // empty: a call about the connector as a whole
  const char* function = "";
  std::chrono::milliseconds entered_at{0};  // on the clock of PluginCalls::Now
  std::chrono::milliseconds lasts{0};
  std::chrono::milliseconds beyond{0};  // its timeout; negative: it is within
  bool overdue = false;                 // it lasts longer than it was allowed to
};

// One that the end of the process waits for in vain, in a sentence.
std::string Describe(const PluginCall& call);

class PluginCalls {
 public:
  // What a call may take beyond its timeout. One without a timeout, a create or a destroy, has this alone when somebody
  // waits for it to end.
  static constexpr std::chrono::milliseconds kGrace{2000};

  // A monotonic clock, a few milliseconds coarse and a few nanoseconds cheap.
  static std::chrono::milliseconds Now();

  // The calls of one thread, one at a time. Costs two stores and a look at a coarse clock for each.
  class Mark {
   public:
    // `calls` outlives the mark.
    Mark(PluginCalls* calls, std::string stream_id);
    ~Mark();
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;

    // `function` is a literal. Of the thread.
    void Enter(const char* function, std::chrono::milliseconds timeout);
    void Leave() { function_.store(nullptr, std::memory_order_release); }
    // Nothing: the thread is not in the plugin. Any thread.
    std::optional<PluginCall> Current() const;

   private:
    PluginCalls* const calls_;
    const std::string stream_id_;
    std::atomic<const char*> function_{nullptr};
    std::atomic<std::int64_t> entered_at_ms_{0};
    std::atomic<std::int64_t> timeout_ms_{0};
  };

  // One call, from construction to destruction.
  class Scope {
   public:
    Scope(Mark* mark, const char* function, std::chrono::milliseconds timeout = {}) : mark_(mark) {
      mark_->Enter(function, timeout);
    }
    ~Scope() { mark_->Leave(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Mark* const mark_;
  };

  // A call about the connector, on whatever thread.
  class ControlCall {
   public:
    ControlCall(PluginCalls* calls, const char* function, std::chrono::milliseconds timeout = {})
        : mark_(calls, ""), scope_(&mark_, function, timeout) {}

   private:
    Mark mark_;
    const Scope scope_;
  };

  // The calls that last longer than they were allowed to. Any thread.
  std::vector<PluginCall> Overdue() const;

 private:
  mutable Mutex mutex_;  // never held during a call
  std::set<const Mark*> marks_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
