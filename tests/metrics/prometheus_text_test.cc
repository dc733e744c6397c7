// Families as Prometheus reads them.
#include "host/metrics/prometheus_text.h"

#include <gtest/gtest.h>

namespace kps {
namespace {

TEST(PrometheusText, WritesCountersAndGaugesWithTheirLabels) {
  const std::string text = PrometheusText({{"kps_things_total",
                                            "Things.",
                                            MetricType::kCounter,
                                            {{{{"stream", "a"}, {"reason", "late"}}, 3, {}}, {{}, 4, {}}}},
                                           {"kps_level", "Level.", MetricType::kGauge, {{{}, -0.5, {}}}}});
  EXPECT_EQ(text,
            "# HELP kps_things_total Things.\n"
            "# TYPE kps_things_total counter\n"
            "kps_things_total{stream=\"a\",reason=\"late\"} 3\n"
            "kps_things_total 4\n"
            "# HELP kps_level Level.\n"
            "# TYPE kps_level gauge\n"
            "kps_level -0.5\n");
}

TEST(PrometheusText, WritesAHistogramWithABucketForTheRest) {
  const std::string text = PrometheusText(
      {{"kps_wait_seconds", "Wait.", MetricType::kHistogram, {{{{"stream", "a"}}, 0, {7, 1.5, {{0.25, 2}, {1, 5}}}}}}});
  EXPECT_EQ(text,
            "# HELP kps_wait_seconds Wait.\n"
            "# TYPE kps_wait_seconds histogram\n"
            "kps_wait_seconds_count{stream=\"a\"} 7\n"
            "kps_wait_seconds_sum{stream=\"a\"} 1.5\n"
            "kps_wait_seconds_bucket{stream=\"a\",le=\"0.25\"} 2\n"
            "kps_wait_seconds_bucket{stream=\"a\",le=\"1\"} 5\n"
            "kps_wait_seconds_bucket{stream=\"a\",le=\"+Inf\"} 7\n");
}

TEST(PrometheusText, EscapesLabels) {
  const std::string text = PrometheusText({{"kps_x", "X.", MetricType::kGauge, {{{{"stream", "a\"b\\c\nd"}}, 1, {}}}}});
  EXPECT_NE(text.find("kps_x{stream=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos) << text;
}

TEST(PrometheusText, KeepsWholeNumbersUpToTwoToThe53) {
  const std::string text = PrometheusText({{"kps_x_total", "X.", MetricType::kCounter, {{{}, 9007199254740991, {}}}}});
  EXPECT_NE(text.find("\nkps_x_total 9007199254740991\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace kps
