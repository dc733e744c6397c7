// What a run tells its author on stderr: the log of the host and the plugin, and the events.
#pragma once

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

  // Of all that there are now, those that were not there at the last call, or whose line was another. Any thread.
  void ShowEvents(const std::vector<Event>& events);
  // A line of its own.
  void Line(const std::string& text);

 private:
  void Write(const std::string& line) KPS_REQUIRES(mutex_);

  std::ostream* const err_;
  Mutex mutex_;
  LogLevel level_ KPS_GUARDED_BY(mutex_) = LogLevel::kInfo;
  std::map<std::string, std::string> shown_ KPS_GUARDED_BY(mutex_);  // the line of each event
};

// "alert brokerAway: WARNING, UNHEALTHY: it does not answer {...}"
std::string EventLine(const Event& event);

}  // namespace kps::cli
