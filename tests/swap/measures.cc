#include "tests/swap/measures.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kps::swap_test {
namespace {

std::int64_t Entries(const char* folder) {
  std::int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

}  // namespace

Held LookAtProcess() {
  Held held;
  malloc_trim(0);  // what is free in the arenas of threads that have ended is no growth
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t kb = 0;
    if (words >> key >> kb && key == "Anonymous:") held.anonymous_kb = kb;
  }
  held.descriptors = Entries("/proc/self/fd");
  held.threads = Entries("/proc/self/task");
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) ++held.maps;
  return held;
}

std::string Percentiles(std::vector<std::chrono::nanoseconds> times) {
  if (times.empty()) return "none";
  std::sort(times.begin(), times.end());
  const auto ms = [&](double part) {
    const auto at = static_cast<std::size_t>(part * static_cast<double>(times.size() - 1));
    return std::chrono::duration<double, std::milli>(times[at]).count();
  };
  char text[96];
  std::snprintf(text, sizeof text, "p50 %.2f ms, p99 %.2f ms, max %.2f ms", ms(0.5), ms(0.99), ms(1));
  return text;
}

}  // namespace kps::swap_test
