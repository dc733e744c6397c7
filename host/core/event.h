// Events: alerts and statuses that the platform reads with GetEvents.
#pragma once

#include <cstdint>
#include <string>

namespace kps {

enum class EventKind { kAlert, kStatus };

// Numbers of connector.v1.Severity and connector.v1.State.
enum class Severity : std::int32_t { kUnspecified = 0, kInfo = 1, kWarning = 2, kCritical = 3 };
enum class State : std::int32_t {
  kUnspecified = 0,
  kProvisioning = 1,
  kProvisioned = 2,
  kFailed = 3,
  kHealthy = 4,
  kUnhealthy = 5
};

enum class LogLevel { kDebug = 1, kInfo = 2, kWarn = 3, kError = 4 };

struct Event {
  EventKind kind = EventKind::kStatus;
  std::string id;         // "streamHealthy"
  std::string stream_id;  // empty: the connector as a whole
  std::string message;
  Severity severity = Severity::kUnspecified;  // of alerts
  State state = State::kUnspecified;
  std::int64_t created_at_ns = 0;  // since the Unix epoch
  std::string metadata_json;       // a JSON object, or empty
  std::uint64_t origin = 0;        // the connector of the plugin that raised it; 0: the host
};

}  // namespace kps
