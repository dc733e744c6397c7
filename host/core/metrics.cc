#include "host/core/metrics.h"

#include <algorithm>

namespace kps {
namespace {

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

// The entry of a series, made if there is room; null otherwise.
template <typename Value>
Value* Metrics::Entry(Series<Value>* series, std::string_view stream_id, std::string_view name) {
  const auto found = series->find(Less::View(stream_id, name));
  if (found != series->end()) return &found->second;
  if (!IsName(name) || series->size() >= kSeriesMax) return nullptr;
  return &(*series)[Key(stream_id, name)];
}

void Metrics::AddStream(std::string_view stream_id) {
  MutexLock lock(mutex_);
  streams_.emplace(stream_id);
}

bool Metrics::IsKnown(std::string_view stream_id) const { return stream_id.empty() || streams_.contains(stream_id); }

void Metrics::CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment) {
  MutexLock lock(mutex_);
  if (!IsKnown(stream_id)) return;
  if (auto* counter = Entry(&counters_, stream_id, name)) *counter += increment;
}

void Metrics::GaugeSet(std::string_view stream_id, std::string_view name, double value) {
  MutexLock lock(mutex_);
  if (!IsKnown(stream_id)) return;
  if (auto* gauge = Entry(&gauges_, stream_id, name)) *gauge = value;
}

void Metrics::RemoveStream(std::string_view stream_id) {
  MutexLock lock(mutex_);
  if (const auto stream = streams_.find(stream_id); stream != streams_.end()) streams_.erase(stream);
  std::erase_if(counters_, [&](const auto& entry) { return entry.first.first == stream_id; });
  std::erase_if(gauges_, [&](const auto& entry) { return entry.first.first == stream_id; });
}

std::map<Metrics::Key, std::uint64_t> Metrics::Counters() const {
  MutexLock lock(mutex_);
  return {counters_.begin(), counters_.end()};
}

std::map<Metrics::Key, double> Metrics::Gauges() const {
  MutexLock lock(mutex_);
  return {gauges_.begin(), gauges_.end()};
}

}  // namespace kps
