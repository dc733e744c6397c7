// What makes the host load its plugin's file, and what it says of it.
#include "host/plugin/reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "host/plugin/load.h"
#include "tests/support/eventually.h"
#include "tests/swap/load.h"

namespace kps::swap_test {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const StreamSpec kMake{"make", Direction::kIngress, "numbers", R"({"ratePerSecond":1000})"};

class ReloaderTest : public testing::Test {
 protected:
  std::unique_ptr<Host> Start(bool watch = false) {
    auto host = std::make_unique<Host>(
        builds_, Host::Options{.watch = watch, .timeout = kSanitized ? milliseconds(5000) : milliseconds(1000)});
    host->Set({kMake});
    return host;
  }
  static std::uint64_t Generation(Host& host) { return host.reloader().Status().generation; }
  static std::uint64_t Failures(Host& host) { return host.reloader().Status().failures; }
  static std::string ReasonOf(Host& host) {
    for (const Event& event : host.runtime().Events()) {
      if (event.id == kPluginSwapFailed.id) return event.metadata_json;
    }
    return "";
  }

  Builds builds_{"generator"};
};

TEST_F(ReloaderTest, AFileThatIsReplacedIsSwappedInWhereItIsWatched) {
  const auto host = Start(true);
  builds_.Good();
  EXPECT_TRUE(Eventually([&] { return Generation(*host) == 2; })) << host->log().All();
  EXPECT_TRUE(host->Has(kPluginSwapped));
  EXPECT_TRUE(host->log().Has("plugin generator 0.1.0 -> 0.1.0: 1 stream moved, pause ")) << host->log().All();
  EXPECT_TRUE(host->log().Has("messages lost 0"));
  EXPECT_TRUE(host->Healthy("make"));
}

TEST_F(ReloaderTest, AFileThatIsWrittenInPlaceIsSwappedInWhenItIsWhole) {
  const auto host = Start(true);
  std::ifstream good(builds_.file(), std::ios::binary);
  const std::string content = std::string(std::istreambuf_iterator<char>(good), {}) + "in place";
  // As `cp` writes: the library that runs is a copy, so nothing happens to it.
  std::ofstream(builds_.file(), std::ios::binary) << content.substr(0, content.size() / 2);
  ASSERT_TRUE(Eventually([&] { return Failures(*host) == 1; })) << "half of it, and the writer takes its time";
  EXPECT_THAT(ReasonOf(*host), HasSubstr("is cut short"));
  std::ofstream(builds_.file(), std::ios::binary | std::ios::app) << content.substr(content.size() / 2);
  EXPECT_TRUE(Eventually([&] { return Generation(*host) == 2; })) << host->log().All();
  EXPECT_FALSE(host->Has(kPluginSwapFailed));
}

TEST_F(ReloaderTest, AFileThatIsDeletedHarmsNothingAndItsReturnIsNoticed) {
  const auto host = Start(true);
  std::filesystem::remove(builds_.file());
  EXPECT_TRUE(Eventually([&] { return host->log().Has("is gone; the loaded version goes on"); }));
  builds_.Good();
  EXPECT_TRUE(Eventually([&] { return Generation(*host) == 2; }));
  EXPECT_EQ(Failures(*host), 0u);
}

TEST_F(ReloaderTest, WithoutWatchingNothingHappensUntilItIsAskedFor) {
  const auto host = Start();
  builds_.Good();
  EXPECT_FALSE(Eventually([&] { return Generation(*host) != 1; }, milliseconds(300)));
  const auto done = host->reloader().Reload();
  ASSERT_TRUE(done.ok()) << done.error().ToString();
  EXPECT_THAT(done.value(), HasSubstr("1 stream moved"));
  EXPECT_EQ(Generation(*host), 2u);
  builds_.Good();
  host->reloader().Request();
  EXPECT_TRUE(Eventually([&] { return Generation(*host) == 3; }));
}

TEST_F(ReloaderTest, TheSameContentIsNotSwapped) {
  const auto host = Start();
  const auto done = host->reloader().Reload();
  ASSERT_TRUE(done.ok());
  EXPECT_THAT(done.value(), HasSubstr("which runs already"));
  EXPECT_EQ(Generation(*host), 1u);
}

TEST_F(ReloaderTest, ARefusedContentIsTriedAgainOnlyWhenSomebodyAsks) {
  const auto host = Start(true);
  builds_.Spoiled("connector_fails");
  ASSERT_TRUE(Eventually([&] { return Failures(*host) == 1; }));
  EXPECT_THAT(ReasonOf(*host),
              AllOf(HasSubstr("spoiled"), HasSubstr("version 0.1.0 goes on"), HasSubstr(builds_.file())));
  const auto touched = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(builds_.file(), touched);
  EXPECT_FALSE(Eventually([&] { return Failures(*host) != 1; }, milliseconds(500)));
  EXPECT_FALSE(host->reloader().Reload().ok());
  EXPECT_EQ(Failures(*host), 2u);
  EXPECT_TRUE(host->Healthy("make"));
}

TEST_F(ReloaderTest, TheAlertGoesWhenTheFileIsAgainWhatRuns) {
  const auto host = Start();
  std::ifstream good(builds_.file(), std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(good), {});
  builds_.Content("nothing");
  EXPECT_FALSE(host->reloader().Reload().ok());
  EXPECT_TRUE(host->Has(kPluginSwapFailed));
  builds_.Content(content);
  EXPECT_TRUE(host->reloader().Reload().ok());
  EXPECT_FALSE(host->Has(kPluginSwapFailed));
}

TEST_F(ReloaderTest, EachWayToBeBadHasASentenceThatNamesTheFileAndNotItsCopy) {
  const auto host = Start();
  const std::pair<const char*, const char*> kReasons[] = {
      {"no_symbol", "does not export kps_plugin_v1"},
      {"newer_abi", "is built for plugin ABI 2"},
      {"other_name", "it is the plugin other, and this host runs generator"},
      {"stricter_schema", "it does not accept what is set: stream \"make\""},
      {"throws_at_load", "crashed"},
      {"connector_fails", "spoiled"},
      {"connector_hangs", "did not come to an end within"},
      {"connector_crashes", "SIGSEGV"},
      {"instances_fail", "stream \"make\": cannot create the consumer"},
      {"instances_hang", "stream \"make\": it does not come back in time"},
      {"first_read_fails", "stream \"make\": cannot read the next message"},
  };
  for (const auto& [how, reason] : kReasons) {
    builds_.Spoiled(how);
    const auto swapped = host->reloader().Reload();
    ASSERT_FALSE(swapped.ok()) << how;
    EXPECT_THAT(swapped.error().message(),
                AllOf(HasSubstr(reason), HasSubstr(builds_.file()), Not(HasSubstr("kps-plugin-"))))
        << how;
    EXPECT_TRUE(host->Healthy("make")) << how;
  }
  EXPECT_EQ(Generation(*host), 1u);
  builds_.Good();
  EXPECT_TRUE(host->reloader().Reload().ok());
}

TEST_F(ReloaderTest, AFileThatCannotBeReadIsSaidSo) {
  const auto host = Start();
  std::filesystem::remove(builds_.file());
  const auto swapped = host->reloader().Reload();
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("No such file"));
}

TEST_F(ReloaderTest, TheStatusSaysWhatRunsAndHowTheLastSwapsWent) {
  const auto host = Start();
  builds_.Good();
  ASSERT_TRUE(host->reloader().Reload().ok());
  builds_.Bad();
  ASSERT_FALSE(host->reloader().Reload().ok());
  const PluginStatus status = host->reloader().Status();
  EXPECT_EQ(status.name, "generator");
  EXPECT_EQ(status.file, builds_.file());
  EXPECT_TRUE(std::filesystem::exists(status.loaded_file));
  EXPECT_THAT(status.loaded_file, Not(testing::StartsWith(builds_.file())));
  EXPECT_EQ(status.sha256.size(), 64u);
  EXPECT_FALSE(status.build_id.empty());
  EXPECT_FALSE(status.watching);
  EXPECT_EQ(status.swaps, 1u);
  EXPECT_EQ(status.failures, 1u);
  ASSERT_TRUE(status.last_swap && status.last_failure);
  EXPECT_EQ(status.last_swap->streams, 1u);
  EXPECT_GT(status.last_swap->pause_max.count(), 0);
  EXPECT_THAT(status.last_failure->reason, HasSubstr("kps_plugin_v1"));
  if (!kSanitized) {
    EXPECT_TRUE(Eventually([&] { return host->reloader().Status().resident == 1; }));
  }
}

TEST_F(ReloaderTest, TheConfigThatIsSetIsWhatTheNextVersionGets) {
  const auto host = Start();
  host->Set({kMake}, {{"log_level", R"("DEBUG")"}});
  builds_.Good();
  EXPECT_TRUE(host->reloader().Reload().ok()) << "the host's own key is none of the plugin's";
}

TEST_F(ReloaderTest, AfterTheStopNothingIsSwapped) {
  const auto host = Start(true);
  host->Stop();
  builds_.Good();
  EXPECT_EQ(host->reloader().Reload().error().code(), Code::kUnavailable);
}

TEST_F(ReloaderTest, AStopDoesNotWaitForABuildThatHangs) {
  const auto host = std::make_unique<Host>(builds_, Host::Options{.timeout = std::chrono::seconds(60)});
  host->Set({kMake});
  builds_.Spoiled("connector_hangs");
  host->reloader().Request();
  const auto begun = std::chrono::steady_clock::now();
  host->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  EXPECT_EQ(Failures(*host), 0u) << "that the host stops says nothing about the file";
}

TEST_F(ReloaderTest, WithNowhereToCopyToTheHostRunsAndSaysHowItCouldSwap) {
  Host host(builds_, {.copies_below = {"/nowhere"}});
  host.Set({kMake});
  EXPECT_TRUE(host.log().Has("cannot be swapped"));
  EXPECT_EQ(host.reloader().Status().loaded_file, "");
  const auto swapped = host.reloader().Reload();
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("set TMPDIR"));
}

TEST_F(ReloaderTest, WithNowhereToCopyToNothingOfAListIsLoaded) {
  LogLines log;
  SystemClock clock;
  const auto opened = Reloader::Open({.file = builds_.file(),
                                      .program = KPS_PREFLIGHT,
                                      .trust = {.writable_by_all = false, .sums = "/nowhere"},
                                      .copies_below = {"/nowhere"}},
                                     &log, &clock);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(opened.error().message(), HasSubstr("--plugin-sums"));
}

TEST_F(ReloaderTest, VersionsThatStayMappedAreWarnedAboutAndLimited) {
  Host host(builds_, {.no_unload = true});
  std::size_t resident = host.reloader().Status().resident;
  bool warned = false;
  for (; resident < Reloader::kResidentMax; ++resident) {
    builds_.Good();
    ASSERT_TRUE(host.reloader().Reload().ok()) << resident;
    warned = host.log().Has("versions of the plugin are still mapped");
    EXPECT_EQ(warned, resident + 1 >= Reloader::kResidentWarned) << resident;
  }
  builds_.Good();
  const auto refused = host.reloader().Reload();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("64 versions are still mapped, and no more are loaded"));
}

TEST_F(ReloaderTest, OneReloadAtATimeIsWaitedFor) {
  const auto host = Start();
  builds_.Spoiled("connector_fails");
  std::atomic<bool> refused{false};
  const auto ask = [&] {
    const bool seen = Eventually([&] {
      const auto swapped = host->reloader().Reload();
      if (!swapped.ok() && swapped.error().message().find("another reload is under way") != std::string::npos) {
        refused = true;
      }
      return refused.load();
    });
    EXPECT_TRUE(seen);
  };
  std::thread other(ask);
  ask();
  other.join();
}

TEST_F(ReloaderTest, AFileThatIsNoPluginCannotBeStartedWith) {
  builds_.Content("nothing");
  EXPECT_THROW(Host(builds_, {}), std::runtime_error);
}

}  // namespace
}  // namespace kps::swap_test
