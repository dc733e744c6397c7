// Counters and gauges that plugins report, by stream and name. Bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/mutex.h"

namespace kps {

class Metrics {
 public:
  // Distinct (stream, name) pairs kept; further names are ignored.
  static constexpr std::size_t kSeriesMax = 4096;
  using Key = std::pair<std::string, std::string>;  // stream id (empty: the connector), name

  // Series of a stream are kept between AddStream and RemoveStream, which takes them away; what comes for another
  // stream is ignored, as are names that are not [a-z][a-z0-9_]*. Any thread, as all of it.
  void AddStream(std::string_view stream_id);
  void CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment);
  void GaugeSet(std::string_view stream_id, std::string_view name, double value);
  void RemoveStream(std::string_view stream_id);

  std::map<Key, std::uint64_t> Counters() const;
  std::map<Key, double> Gauges() const;

 private:
  // Finds a series without making a Key of it: plugins count with every batch.
  struct Less {
    using is_transparent = void;
    using View = std::pair<std::string_view, std::string_view>;
    bool operator()(const View& a, const View& b) const { return a < b; }
  };
  template <typename Value>
  using Series = std::map<Key, Value, Less>;

  template <typename Value>
  static Value* Entry(Series<Value>* series, std::string_view stream_id, std::string_view name);
  bool IsKnown(std::string_view stream_id) const KPS_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::set<std::string, std::less<>> streams_ KPS_GUARDED_BY(mutex_);
  Series<std::uint64_t> counters_ KPS_GUARDED_BY(mutex_);
  Series<double> gauges_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
