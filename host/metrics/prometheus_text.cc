#include "host/metrics/prometheus_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace kps {
namespace {

prometheus::MetricType ToPrometheus(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric ToPrometheus(const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  // Only the one that fits the family's type is looked at.
  metric.counter.value = sample.value;
  metric.gauge.value = sample.value;
  metric.histogram.sample_count = sample.histogram.count;
  metric.histogram.sample_sum = sample.histogram.sum;
  for (const auto& bucket : sample.histogram.buckets) {
    metric.histogram.bucket.push_back({bucket.cumulative_count, bucket.upper_bound});
  }
  return metric;
}

}  // namespace

std::string PrometheusText(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> converted;
  converted.reserve(families.size());
  for (const MetricFamily& family : families) {
    prometheus::MetricFamily& to = converted.emplace_back();
    to.name = family.name;
    to.help = family.help;
    to.type = ToPrometheus(family.type);
    for (const MetricSample& sample : family.samples) to.metric.push_back(ToPrometheus(sample));
  }
  return prometheus::TextSerializer().Serialize(converted);
}

}  // namespace kps
