// The kps_host table of one connector, over core's HostServices.
#pragma once

#include <kps/host.h>

#include <map>
#include <string>

#include "host/core/mutex.h"
#include "host/core/plugin.h"

namespace kps {

class HostTable {
 public:
  // `services` outlives the table.
  explicit HostTable(HostServices* services);
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  const kps_host* get() const { return &table_; }

  // What should_stop answers. A stream that was never set is not to stop. Any thread.
  void SetStopping(const std::string& stream_id, bool stopping);
  void Forget(const std::string& stream_id);

 private:
  static void Log(void* context, int32_t level, kps_str stream_id, kps_str text);
  static void RaiseAlert(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t severity, int32_t state,
                         kps_str metadata_json);
  static void SetStatus(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t state,
                        kps_str metadata_json);
  static void CounterAdd(void* context, kps_str stream_id, kps_str name, uint64_t increment);
  static void GaugeSet(void* context, kps_str stream_id, kps_str name, double value);
  static int32_t ShouldStop(void* context, kps_str stream_id);

  HostServices* const services_;
  const kps_host table_;
  Mutex mutex_;
  std::map<std::string, bool> stopping_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
