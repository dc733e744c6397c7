// What the runs of this program have measured, printed when it ends.
#pragma once

#include <cstdint>
#include <string>

namespace kps::chaos {

struct Row {
  std::string fault;
  std::uint64_t times = 0;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  // each counted once
  std::uint64_t duplicates = 0;
  std::uint64_t lost = 0;
  std::uint64_t dead_lettered = 0;  // or dropped, where it is too large even for that; told in any case
};
void AddRow(Row row);

// How often: `short_run` in CI, `long_run` with KPS_CHAOS=long.
int Times(int short_run, int long_run);

}  // namespace kps::chaos
