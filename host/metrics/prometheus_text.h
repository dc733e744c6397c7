// Families in the text format of Prometheus.
#pragma once

#include <string>
#include <vector>

#include "host/core/metric_family.h"

namespace kps {

inline constexpr char kPrometheusContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// One family with a name that occurred before would make Prometheus refuse all of it: see MetricsSource.
std::string PrometheusText(const std::vector<MetricFamily>& families);

}  // namespace kps
