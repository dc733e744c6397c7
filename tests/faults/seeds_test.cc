// Many seeds, each a stream under other faults: nothing is lost, and the order is kept.
//   KPS_SEEDS=N   so many, in the place of 10,000 (1,000 with a sanitizer)
//   KPS_SEED=S    this one alone, with everything that happened
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/faults/disguised.h"
#include "tests/faults/run.h"

namespace kps::faults {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 1000;  // ten times as slow
#else
constexpr std::uint64_t kSeeds = 10'000;
#endif
constexpr std::size_t kLastOperations = 30;

using RunSeed = Outcome (*)(std::uint64_t seed, const Disguise& disguise);

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void Print(const Outcome& outcome, std::size_t operations_max) {
  const auto& all = outcome.operations;
  for (std::size_t i = all.size() - std::min(all.size(), operations_max); i < all.size(); ++i) {
    std::printf("%12.3f ms  %-20s %8" PRId64 " %8" PRId64 "\n",
                std::chrono::duration<double, std::milli>(all[i].at.time_since_epoch()).count(), all[i].name, all[i].a,
                all[i].b);
  }
}

std::string Explain(std::uint64_t seed, const Outcome& outcome) {
  std::string text = "seed " + std::to_string(seed);
  for (const std::string& promise : outcome.broken) text += "\n  " + promise;
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  return text + "\nReplay: KPS_SEED=" + std::to_string(seed) + " " KPS_FAULTS_TEST " --gtest_filter='" +
         test->test_suite_name() + "." + test->name() + "'";
}

struct Sum {
  std::uint64_t sent = 0, delivered = 0, duplicates = 0, lost = 0, refused = 0, given_up = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)> faults{};

  void Add(const Outcome& outcome) {
    sent += outcome.sent;
    delivered += outcome.delivered;
    duplicates += outcome.duplicates;
    lost += outcome.lost;
    refused += outcome.refused;
    given_up += outcome.given_up;
    for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += outcome.faults[i];
  }
};

class Seeds : public testing::TestWithParam<RunSeed> {};

TEST_P(Seeds, NothingIsLostAndTheOrderIsKept) {
  if (std::getenv("KPS_SEED") != nullptr) {
    const std::uint64_t seed = FromEnvironment("KPS_SEED", 0);
    const Outcome outcome = GetParam()(seed, {});
    Print(outcome, outcome.operations.size());
    EXPECT_TRUE(outcome.broken.empty()) << Explain(seed, outcome);
    return;
  }
  const std::uint64_t seeds = FromEnvironment("KPS_SEEDS", kSeeds);
  Sum sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = GetParam()(seed, {});
    sum.Add(outcome);
    if (outcome.broken.empty()) continue;
    Print(outcome, kLastOperations);
    FAIL() << Explain(seed, outcome);
  }
  std::printf("| seeds, %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n",
              GetParam() == &RunIngress ? "INGRESS" : "EGRESS", seeds, sum.sent, sum.delivered, sum.duplicates,
              sum.lost, sum.refused);
  // Beside the rows of a table.
  std::fprintf(stderr, "not kept by the transport: %" PRIu64 "; faults:", sum.given_up);
  for (std::size_t i = 0; i < sum.faults.size(); ++i) {
    if (sum.faults[i] > 0) std::fprintf(stderr, " %s %" PRIu64 ",", FaultName(static_cast<Fault>(i)), sum.faults[i]);
  }
  std::fprintf(stderr, "\n");
}

TEST_P(Seeds, ASeedIsTheSameRunEveryTime) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Outcome first = GetParam()(seed, {});
    const Outcome second = GetParam()(seed, {});
    ASSERT_GT(first.operations.size(), 5u);
    ASSERT_TRUE(first.operations == second.operations) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Seeds, testing::Values(&RunIngress, &RunEgress),
                         [](const auto& info) { return info.index == 0 ? "Ingress" : "Egress"; });

// Without this, a check that never fails would look like a core without bugs.
TEST(SeedsTest, EveryBugOfCoreIsFoundByAFewSeeds) {
  constexpr std::uint64_t kEnough = 200;
  for (const Bug& bug : Bugs()) {
    std::uint64_t seed = 1;
    const RunSeed run = bug.ingress ? &RunIngress : &RunEgress;
    while (seed <= kEnough && run(seed, bug.disguise).broken.empty()) ++seed;
    if (bug.name == "none") {
      EXPECT_GT(seed, kEnough) << "the disguise itself breaks a promise";
      continue;
    }
    EXPECT_LE(seed, kEnough) << bug.name;
    std::printf("%-40s found by seed %" PRIu64 "\n", bug.name.c_str(), seed);
  }
}

}  // namespace
}  // namespace kps::faults
