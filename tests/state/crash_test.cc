// kill -9 at random moments: what was reported as safe is there, and what is there fits together.
// KPS_STATE_KILLS: how many times; KPS_STATE_SEED: of the moments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "tests/state/support.h"
#include "tests/support/process.h"

namespace kps::test {
namespace {

unsigned long FromEnvironment(const char* name, unsigned long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

// What the writer has said, in whole lines.
struct Reported {
  std::uint64_t save = 0;
  std::map<std::string, std::uint64_t> counts;
  int lines = 0;

  void Read(const std::string& out) {
    std::istringstream words(out.substr(0, out.rfind('\n') + 1));
    for (std::string word; words >> word;) {
      std::string id;
      if (word == "desired") words >> save;
      if (word == "position" && words >> id) words >> counts[id];
      if (word.starts_with('#')) ++lines;
    }
  }
};

TEST(StateCrash, NothingThatWasReportedAsSafeIsLost) {
  const unsigned long kills = FromEnvironment("KPS_STATE_KILLS", 200);
  const unsigned long seed = FromEnvironment("KPS_STATE_SEED", 1);
  std::mt19937_64 random(seed);
  const TempFolder folder;
  Reported reported;
  int points_of_changing = 0;
  for (unsigned long kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill) + " of seed " + std::to_string(seed));
    Process writer({KPS_STATE_WRITER, folder.state()}, {});
    // One in eight while it starts; the others after some lines, and a moment that does not follow from the line.
    if (kill % 8 != 0) {
      ASSERT_TRUE(writer.WaitForOutput("\n#" + std::to_string(1 + random() % 12) + ' ')) << writer.err();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    writer.Signal(SIGKILL);
    ASSERT_EQ(writer.Wait(), -1) << writer.err();
    reported.Read(writer.out());

    HeardChanges heard;
    SavedState state;
    ASSERT_TRUE(OpenLoaded(folder.state(), &heard, &state, {"crash"}));
    if (reported.save == 0) continue;
    ASSERT_TRUE(state.config.contains("save"));
    EXPECT_GE(std::stoull(state.config["save"]), reported.save);
    for (const auto& [id, count] : reported.counts) {
      ASSERT_TRUE(state.resume_points.contains(id)) << id;
      EXPECT_GE(state.resume_points[id].message_count, count) << id;
    }
    if (state.resume_points.contains("changing")) {
      ++points_of_changing;
      EXPECT_EQ(state.streams["changing"].metadata_json,
                "{\"source\":" + state.resume_points["changing"].position + "}");
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(reported.lines, static_cast<int>(kills));
  EXPECT_GT(points_of_changing, 0);
}

}  // namespace
}  // namespace kps::test
