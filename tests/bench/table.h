// The rows of the benchmark: values of rounds, and what is printed of them.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/two_sides.h"

namespace kps::bench {

struct Spread {
  double low = 0;
  double median = 0;
  double high = 0;
};
// `values` is not empty.
Spread SpreadOf(std::vector<double> values);

// What the rounds of one row cost, for one load.
struct Series {
  std::string name;
  std::vector<Cost> rounds;
};

Spread MessagesPerSecond(const Series& series, std::uint64_t messages);
Spread CpuSecondsPerMillion(const Series& series, std::uint64_t messages);
// Of the messages a second, round by round: the two of a round ran one after the other, so noise of the machine that
// lasts longer than a round cancels out.
Spread Ratio(const Series& series, const Series& reference);

// p50 and p99 in µs, and the ratio of the p50 to that of `reference`, if there is one.
void PrintLatency(const Series& series, const Series* reference);

// "1,234,567".
std::string WithCommas(std::uint64_t number);

void PrintHeader();
// `reference`: the row that the ratio is to; null: none.
void PrintRow(const Series& series, const Load& load, const Series* reference);
// A second ratio, below a row.
void PrintRatio(const Series& series, const Series& reference);

}  // namespace kps::bench
