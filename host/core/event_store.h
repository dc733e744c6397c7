// The latest event for each (kind, id, stream). Bounded: a plugin that floods can neither grow memory nor push out what
// the host itself has to say.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "host/core/clock.h"
#include "host/core/event.h"
#include "host/core/mutex.h"

namespace kps {

class EventStore {
 public:
  // Distinct events of the plugin kept for one stream (and for the connector as a whole); the oldest gives way. The
  // host has only a few names.
  static constexpr std::size_t kEventsPerStreamMax = 64;
  // Bytes kept of each text; the rest is cut.
  static constexpr std::size_t kTextBytesMax = 4096;

  // `clock` outlives the store.
  explicit EventStore(const Clock* clock) : clock_(clock) {}

  // The plugin's events of a stream are accepted between AddStream and RemoveStream, which takes away the host's as
  // well. Any thread, as all of it.
  void AddStream(const std::string& stream_id);
  void RemoveStream(const std::string& stream_id);

  // Stores `event` in the place of an older one with its kind, id and stream, and stamps created_at_ns when it is 0.
  void Put(Event event);
  void Clear(EventKind kind, const std::string& id, const std::string& stream_id);
  // What other connectors of the plugin have raised about the stream is no longer so.
  void KeepOrigin(const std::string& stream_id, std::uint64_t origin);

  // Ordered by stream, kind and id.
  std::vector<Event> List() const;

 private:
  using Key = std::tuple<std::string, EventKind, std::string>;  // stream, kind, id

  void EvictOldestOfPlugin(const std::string& stream_id) KPS_REQUIRES(mutex_);

  const Clock* const clock_;
  mutable Mutex mutex_;
  std::set<std::string> streams_ KPS_GUARDED_BY(mutex_);
  std::map<Key, Event> events_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
