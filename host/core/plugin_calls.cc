#include "host/core/plugin_calls.h"

#include <ctime>
#include <utility>

namespace kps {
using std::chrono::milliseconds;

milliseconds PluginCalls::Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return milliseconds(std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000);
}

PluginCalls::Mark::Mark(PluginCalls* calls, std::string stream_id) : calls_(calls), stream_id_(std::move(stream_id)) {
  MutexLock lock(calls_->mutex_);
  calls_->marks_.insert(this);
}

PluginCalls::Mark::~Mark() {
  MutexLock lock(calls_->mutex_);
  calls_->marks_.erase(this);
}

void PluginCalls::Mark::Enter(const char* function, milliseconds timeout) {
  entered_at_ms_.store(Now().count(), std::memory_order_relaxed);
  timeout_ms_.store(timeout.count(), std::memory_order_relaxed);
  function_.store(function, std::memory_order_release);
}

std::optional<PluginCall> PluginCalls::Mark::Current() const {
  const char* const function = function_.load(std::memory_order_acquire);
  if (function == nullptr) return std::nullopt;
  // Where the thread is in another call by now, these are that one's: then it only seems to last shorter.
  const milliseconds entered_at(entered_at_ms_.load(std::memory_order_relaxed));
  const milliseconds lasts = Now() - entered_at;
  const milliseconds timeout(timeout_ms_.load(std::memory_order_relaxed));
  return PluginCall{stream_id_, function, entered_at, lasts, lasts - timeout, lasts > timeout + kGrace};
}

std::vector<PluginCall> PluginCalls::Overdue() const {
  std::vector<PluginCall> overdue;
  MutexLock lock(mutex_);
  for (const Mark* mark : marks_) {
    if (auto call = mark->Current(); call && call->overdue) overdue.push_back(std::move(*call));
  }
  return overdue;
}

std::string Describe(const PluginCall& call) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(call.lasts).count();
  return std::string("the plugin has been in ") + call.function + " for " + std::to_string(seconds) +
         " s and does not come back";
}

}  // namespace kps
