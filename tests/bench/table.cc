#include "tests/bench/table.h"

#include <algorithm>
#include <cstdio>

namespace kps::bench {

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {values.front(), median, values.back()};
}

Spread MessagesPerSecond(const Series& series, std::uint64_t messages) {
  std::vector<double> values;
  for (const Cost& cost : series.rounds) values.push_back(static_cast<double>(messages) / cost.seconds);
  return SpreadOf(values);
}

Spread CpuSecondsPerMillion(const Series& series, std::uint64_t messages) {
  std::vector<double> values;
  for (const Cost& cost : series.rounds) values.push_back(cost.cpu_seconds * 1e6 / static_cast<double>(messages));
  return SpreadOf(values);
}

Spread Ratio(const Series& series, const Series& reference) {
  std::vector<double> values;
  for (std::size_t i = 0; i < series.rounds.size(); ++i) {
    values.push_back(reference.rounds.at(i).seconds / series.rounds[i].seconds);
  }
  return SpreadOf(values);
}

std::string WithCommas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

void PrintLatency(const Series& series, const Series* reference) {
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < series.rounds.size(); ++i) {
    p50.push_back(series.rounds[i].latency_p50_us);
    p99.push_back(series.rounds[i].latency_p99_us);
    if (reference != nullptr) ratios.push_back(p50.back() / reference->rounds.at(i).latency_p50_us);
  }
  std::printf("%-36s p50 %6.0f us   p99 %6.0f us", series.name.c_str(), SpreadOf(p50).median, SpreadOf(p99).median);
  if (reference != nullptr) {
    const Spread ratio = SpreadOf(ratios);
    std::printf("   p50: %.2f (%.2f to %.2f) of %s", ratio.median, ratio.low, ratio.high, reference->name.c_str());
  }
  std::printf("\n");
  std::fflush(stdout);
}

void PrintHeader() {
  std::printf("%-36s %11s %11s %13s  %-58s %s\n", "", "payload", "messages", "messages/s",
              "ratio, median (low to high)", "CPU s / million messages");
}

namespace {

std::string RatioText(const Series& series, const Series& reference) {
  const Spread spread = Ratio(series, reference);
  char text[120];
  std::snprintf(text, sizeof text, "%.2f (%.2f to %.2f) of %s", spread.median, spread.low, spread.high,
                reference.name.c_str());
  return text;
}

}  // namespace

void PrintRatio(const Series& series, const Series& reference) {
  std::printf("%-75s  %s\n", "", RatioText(series, reference).c_str());
  std::fflush(stdout);
}

void PrintRow(const Series& series, const Load& load, const Series* reference) {
  const std::string ratio = reference == nullptr ? "-" : RatioText(series, *reference);
  std::printf("%-36s %9s B %11s %13s  %-58s %.2f\n", series.name.c_str(), WithCommas(load.payload_bytes).c_str(),
              WithCommas(load.messages).c_str(),
              WithCommas(static_cast<std::uint64_t>(MessagesPerSecond(series, load.messages).median)).c_str(),
              ratio.c_str(), CpuSecondsPerMillion(series, load.messages).median);
  std::fflush(stdout);
}

}  // namespace kps::bench
