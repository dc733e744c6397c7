#include "tests/chaos/table.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace kps::chaos {
namespace {

std::vector<Row>& Rows() {
  static std::vector<Row> rows;
  return rows;
}

class PrintsAtTheEnd : public testing::Environment {
 public:
  void TearDown() override {
    if (Rows().empty()) return;
    std::printf("\n| fault | times | sent | delivered | duplicates | lost | dead-lettered or dropped |\n");
    std::printf("|---|---|---|---|---|---|---|\n");
    for (const Row& row : Rows()) {
      std::printf("| %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n",
                  row.fault.c_str(), row.times, row.sent, row.delivered, row.duplicates, row.lost, row.dead_lettered);
    }
    std::fflush(stdout);
  }
};

const testing::Environment* const kEnvironment = testing::AddGlobalTestEnvironment(new PrintsAtTheEnd);

}  // namespace

void AddRow(Row row) { Rows().push_back(std::move(row)); }

int Times(int short_run, int long_run) {
  const char* const chaos = std::getenv("KPS_CHAOS");
  return chaos != nullptr && std::string_view(chaos) == "long" ? long_run : short_run;
}

}  // namespace kps::chaos
