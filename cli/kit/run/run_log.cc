#include "cli/kit/run/run_log.h"

#include <ostream>
#include <utility>

#include "cli/table.h"
#include "host/core/json.h"
#include "host/core/known_events.h"

namespace kps::cli {
namespace {

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "DEBUG ";
    case LogLevel::kInfo: return "INFO  ";
    case LogLevel::kWarn: return "WARN  ";
    case LogLevel::kError: return "ERROR ";
  }
  return "";
}

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kUnspecified: return "";
    case Severity::kInfo: return "INFO, ";
    case Severity::kWarning: return "WARNING, ";
    case Severity::kCritical: return "CRITICAL, ";
  }
  return "";
}

const char* StateName(State state) {
  switch (state) {
    case State::kUnspecified: return "no state";
    case State::kProvisioning: return "PROVISIONING";
    case State::kProvisioned: return "PROVISIONED";
    case State::kFailed: return "FAILED";
    case State::kHealthy: return "HEALTHY";
    case State::kUnhealthy: return "UNHEALTHY";
  }
  return "";
}

// The host's events say why in one of their metadata; a plugin's may have any.
std::string Details(const Event& event) {
  const auto members = ParseJsonObject(event.metadata_json.empty() ? "{}" : event.metadata_json);
  if (!members.ok() || members.value().empty()) return "";
  const auto reason = members.value().find(std::string(kErrorMessageKey));
  if (reason == members.value().end()) return " " + ToJson(members.value());
  const std::string text = JsonStringValue(reason->second).value_or("");
  return text.empty() ? "" : ": " + text;
}

}  // namespace

std::string EventLine(const Event& event) {
  return (event.kind == EventKind::kAlert ? "alert " : "status ") + event.id + ": " + SeverityName(event.severity) +
         StateName(event.state) + ": " + event.message + Details(event);
}

void RunLog::Log(LogLevel level, std::string_view stream_id, std::string_view text) {
  MutexLock lock(mutex_);
  if (level < level_) return;
  Write(LevelName(level) + (stream_id.empty() ? "" : std::string(stream_id) + ": ") + std::string(text));
}

void RunLog::SetLevel(LogLevel level) {
  MutexLock lock(mutex_);
  level_ = level;
}

void RunLog::ShowEvents(const std::vector<Event>& events) {
  MutexLock lock(mutex_);
  std::map<std::string, std::string> lines;
  for (const Event& event : events) {
    const std::string key = event.stream_id + '\n' + event.id + (event.kind == EventKind::kAlert ? "\na" : "\ns");
    const std::string& line = lines.insert_or_assign(key, EventLine(event)).first->second;
    const auto shown = shown_.find(key);
    if (shown == shown_.end() || shown->second != line) Write("EVENT " + line);
  }
  shown_ = std::move(lines);
}

void RunLog::Line(const std::string& text) {
  MutexLock lock(mutex_);
  Write(text);
}

void RunLog::Write(const std::string& line) { *err_ << Printable(line) << std::endl; }

}  // namespace kps::cli
