// What a run tells its author on stderr: the log of the host and the plugin, and the events.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/logger.h"
#include "host/core/mutex.h"

namespace kps::cli {

class RunLog : public Logger {
 public:
  // `err` outlives the log.
  explicit RunLog(std::ostream* err) : err_(err) {}

  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override;
  void SetLevel(LogLevel level) override;

  // Those that are new, or have changed since the last call. Any thread.
  void ShowEvents(const std::vector<Event>& events);
  // A line of its own.
  void Line(const std::string& text);

 private:
  void Write(const std::string& line) KPS_REQUIRES(mutex_);

  std::ostream* const err_;
  Mutex mutex_;
  LogLevel level_ KPS_GUARDED_BY(mutex_) = LogLevel::kInfo;
  std::map<std::string, std::int64_t> shown_ KPS_GUARDED_BY(mutex_);  // of each event, when it was raised
};

// "alert brokerAway: WARNING, UNHEALTHY: it does not answer {...}"
std::string EventLine(const Event& event);

}  // namespace kps::cli
