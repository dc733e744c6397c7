#include "host/core/event_store.h"

#include <algorithm>
#include <utility>

namespace kps {
namespace {

void Cut(std::string* text, std::size_t size_max) {
  if (text->size() <= size_max) return;
  // Not in the middle of a UTF-8 character.
  while (size_max > 0 && (static_cast<unsigned char>((*text)[size_max]) & 0xC0) == 0x80) --size_max;
  text->resize(size_max);
}

}  // namespace

void EventStore::AddStream(const std::string& stream_id) {
  MutexLock lock(mutex_);
  streams_.insert(stream_id);
}

void EventStore::RemoveStream(const std::string& stream_id) {
  MutexLock lock(mutex_);
  streams_.erase(stream_id);
  const auto first = events_.lower_bound(Key(stream_id, EventKind::kAlert, ""));
  auto last = first;
  while (last != events_.end() && std::get<0>(last->first) == stream_id) ++last;
  events_.erase(first, last);
}

void EventStore::Put(Event event) {
  if (event.created_at_ns == 0) event.created_at_ns = clock_->NowNs();
  Cut(&event.id, kTextBytesMax);
  Cut(&event.message, kTextBytesMax);
  // Half a JSON object is no JSON object.
  if (event.metadata_json.size() > kTextBytesMax) event.metadata_json.clear();

  MutexLock lock(mutex_);
  if (event.origin != 0 && !event.stream_id.empty() && !streams_.contains(event.stream_id)) return;
  Key key(event.stream_id, event.kind, event.id);
  if (event.origin != 0 && !events_.contains(key)) EvictOldestOfPlugin(event.stream_id);
  events_.insert_or_assign(std::move(key), std::move(event));
}

void EventStore::EvictOldestOfPlugin(const std::string& stream_id) {
  auto oldest = events_.end();
  std::size_t count = 0;
  for (auto event = events_.lower_bound(Key(stream_id, EventKind::kAlert, ""));
       event != events_.end() && std::get<0>(event->first) == stream_id; ++event) {
    if (event->second.origin == 0) continue;
    ++count;
    if (oldest == events_.end() || event->second.created_at_ns < oldest->second.created_at_ns) oldest = event;
  }
  if (count >= kEventsPerStreamMax) events_.erase(oldest);
}

void EventStore::Clear(EventKind kind, const std::string& id, const std::string& stream_id) {
  MutexLock lock(mutex_);
  events_.erase(Key(stream_id, kind, id));
}

void EventStore::KeepOrigin(const std::string& stream_id, std::uint64_t origin) {
  MutexLock lock(mutex_);
  std::erase_if(events_, [&](const auto& entry) {
    const Event& event = entry.second;
    return event.stream_id == stream_id && event.origin != 0 && event.origin != origin;
  });
}

std::vector<Event> EventStore::List() const {
  MutexLock lock(mutex_);
  std::vector<Event> list;
  list.reserve(events_.size());
  for (const auto& [key, event] : events_) list.push_back(event);
  return list;
}

}  // namespace kps
