// What is measured, in the words of Prometheus and without its library: host/metrics turns families into its text.
//
// To export something new, add a family to the source that knows the figures (host_metrics.cc is the first one), or
// give another MetricsSource to whoever collects.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kps {

// Pairs of name and value, in the order in which they are shown.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

enum class MetricType { kCounter, kGauge, kHistogram };

struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;
    std::uint64_t cumulative_count = 0;  // of what was at most upper_bound
  };
  std::uint64_t count = 0;
  double sum = 0;
  std::vector<Bucket> buckets;  // ascending; that of +Inf may be left out
};

struct MetricSample {
  MetricLabels labels;
  double value = 0;          // of a counter or a gauge
  HistogramValue histogram;  // of a histogram
};

struct MetricFamily {
  std::string name;  // kps_..., base units, counters end in _total
  std::string help;  // one sentence
  MetricType type = MetricType::kGauge;
  std::vector<MetricSample> samples;
};

// Port: somebody who knows figures. They are asked for when somebody wants to see them.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // Each family once, each set of labels once in its family. Any thread, also several at a time.
  virtual std::vector<MetricFamily> Collect() const = 0;
};

}  // namespace kps
