// The host's services, as a plugin under examination sees them: what it tells is judged, and goes nowhere.
#pragma once

#include <kps/host.h>

#include <atomic>
#include <string_view>

#include "cli/kit/check/findings.h"

namespace kps::cli {

class CheckHost {
 public:
  // `findings` outlives it.
  explicit CheckHost(Findings* findings);
  CheckHost(const CheckHost&) = delete;
  CheckHost& operator=(const CheckHost&) = delete;

  const kps_host* table() const { return &table_; }
  // What should_stop answers, for every stream.
  void SetStopping(bool stopping) { stopping_ = stopping; }

 private:
  static void Log(void* context, int32_t level, kps_str stream_id, kps_str text);
  static void RaiseAlert(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t severity, int32_t state,
                         kps_str metadata_json);
  static void SetStatus(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t state,
                        kps_str metadata_json);
  static void CounterAdd(void* context, kps_str stream_id, kps_str name, uint64_t increment);
  static void GaugeSet(void* context, kps_str stream_id, kps_str name, double value);
  static int32_t ShouldStop(void* context, kps_str stream_id);

  void ExpectText(const char* function, const char* what, kps_str text);
  void ExpectEvent(const char* function, kps_str id, kps_str message, int32_t state, kps_str metadata_json);
  void ExpectName(const char* function, kps_str name);
  void Fail(const char* function, const std::string& what);

  Findings* const findings_;
  std::atomic<bool> stopping_{false};
  const kps_host table_;
};

}  // namespace kps::cli
