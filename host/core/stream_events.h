// What one run of a stream says about itself: its events and its lines in the log. Health is reported when it changes.
#pragma once

#include <string>

#include "host/core/event_store.h"
#include "host/core/host_events.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/stream.h"

namespace kps {

// Of an event of a stream. All three keys are there in each, ExtraMessage as an object: clients read them without
// asking.
std::string StreamMetadata(const StreamSpec& stream, const std::string& reason);

class StreamEvents {
 public:
  // All of them outlive it.
  StreamEvents(const StreamSpec* stream, EventStore* events, Logger* logger)
      : stream_(stream), events_(events), logger_(logger) {}

  // Before it is opened: the former run has not ended, for `reason`. Gone when it is opened.
  void WaitsForFormerRun(const std::string& reason);
  // From now on the stream has events, those that its plugin raises as well. The former run has ended by now, so that
  // nothing that it still had to say is taken for this one's.
  void Open();
  // Nothing of this run appears any more, and nothing is cleared. Any thread.
  void Close();

  // Of the stream's thread.
  void Started();
  bool Healthy();  // true: this is news
  void Unhealthy(const std::string& reason);
  void Failed(const std::string& reason);
  void Raise(const KnownEvent& type, const std::string& reason);
  void Tell(const KnownEvent& type, const std::string& message);  // an event whose message says it all
  void Clear(const KnownEvent& type);
  void Log(LogLevel level, const std::string& text);

  bool failed() const { return health_ == Health::kFailed; }

 private:
  enum class Health { kUnknown, kHealthy, kUnhealthy, kFailed };

  const StreamSpec* const stream_;
  EventStore* const events_;
  Logger* const logger_;

  Health health_ = Health::kUnknown;
  std::string reason_;  // while not healthy

  Mutex mutex_;  // held over each change of the store, so that Close is a sharp end
  bool open_ KPS_GUARDED_BY(mutex_) = false;
  bool closed_ KPS_GUARDED_BY(mutex_) = false;
};

}  // namespace kps
