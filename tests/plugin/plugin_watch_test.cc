// What happens to a plugin file, and to what leads to it, is noticed; what happens next to it is not.
#include "host/plugin/plugin_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "tests/support/eventually.h"

namespace kps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Outcome = PluginWatch::Outcome;

void Write(const fs::path& path, const std::string& content = "x") { std::ofstream(path, std::ios::app) << content; }

class PluginWatchTest : public testing::Test {
 protected:
  PluginWatchTest() {
    char pattern[] = "/tmp/kps-watch-XXXXXX";
    root_ = mkdtemp(pattern);
    fs::create_directory(root_ / "a");
    fs::create_directory(root_ / "b");
    file_ = root_ / "a/one.so";
  }
  ~PluginWatchTest() override { fs::remove_all(root_); }

  // Without debounce, a change is reported at once, and each read tells whether there was one.
  void Open(milliseconds debounce = milliseconds(0)) {
    auto watch = PluginWatch::Open(file_, debounce);
    ASSERT_TRUE(watch.ok()) << watch.error().ToString();
    watch_ = std::move(watch.value());
  }

  Outcome Next() {
    auto outcome = std::async(std::launch::async, [this] { return watch_->Wait(); });
    if (outcome.wait_for(test::kDeadline) != std::future_status::ready) {
      ADD_FAILURE() << "Wait has not returned";
      watch_->Wake();
    }
    return outcome.get();
  }
  bool Changed() { return Next() == Outcome::kChanged; }
  // Whether nothing was noticed of what has happened so far.
  bool Quiet() {
    watch_->Wake();
    return Next() == Outcome::kWoken;
  }
  // Several reads may be needed for what one change has caused.
  void UntilQuiet() {
    EXPECT_TRUE(test::Eventually([this] { return Quiet(); }));
  }

  fs::path root_;
  fs::path file_;
  std::unique_ptr<PluginWatch> watch_;
};

TEST_F(PluginWatchTest, WrittenInPlace) {
  Write(file_);
  Open();
  EXPECT_TRUE(Quiet());
  Write(file_);
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Quiet()) << "reported once";
}

TEST_F(PluginWatchTest, Made) {
  Open();
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, ReplacedByRename) {
  Write(file_);
  Write(root_ / "a/.one.so.new");
  Open();
  fs::rename(root_ / "a/.one.so.new", file_);
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(file_);
  EXPECT_TRUE(Changed()) << "also what came by rename";
}

TEST_F(PluginWatchTest, RemovedMovedAwayAndOtherRights) {
  Write(file_);
  Open();
  fs::permissions(file_, fs::perms::none);
  EXPECT_TRUE(Changed());
  fs::rename(file_, root_ / "b/elsewhere.so");
  EXPECT_TRUE(Changed());
  fs::rename(root_ / "b/elsewhere.so", file_);
  EXPECT_TRUE(Changed());
  fs::remove(file_);
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Quiet());
}

TEST_F(PluginWatchTest, OtherNamesAndReadingAreIgnored) {
  Write(file_);
  Open();
  Write(root_ / "a/two.so");
  Write(root_ / "a/one.so.new");
  fs::remove(root_ / "a/two.so");
  fs::permissions(root_ / "a", fs::perms::owner_all);
  std::string content;
  std::ifstream(file_) >> content;
  EXPECT_TRUE(Quiet());
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, IsReportedWhenThereWasNothingForTheDebounce) {
  constexpr milliseconds kDebounce{100};
  Open(kDebounce);
  std::atomic<bool> first = false;
  Clock::time_point last;
  // Some writes, each within the debounce of the one before, unless the machine is very slow.
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) {
      last = Clock::now();
      Write(file_);
      first = true;
      std::this_thread::yield();
    }
  });
  ASSERT_TRUE(test::Eventually([&] { return first.load(); }));
  writer.join();
  EXPECT_TRUE(Changed());
  EXPECT_GE(Clock::now() - last, kDebounce);
}

TEST_F(PluginWatchTest, AWriterThatNeverStopsIsReportedAllTheSame) {
  Open(milliseconds(30));
  Write(file_);
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) Write(file_, "");
  });
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Changed()) << "again and again";
}

TEST_F(PluginWatchTest, WakeIsKeptUntilWaitHasReturnedIt) {
  Open(milliseconds(60'000));
  watch_->Wake();
  watch_->Wake();
  EXPECT_EQ(Next(), Outcome::kWoken);
  Write(file_);
  watch_->Wake();
  EXPECT_EQ(Next(), Outcome::kWoken) << "a change that waits for its debounce does not hold it up";
}

TEST_F(PluginWatchTest, AWakeLosesNoChange) {
  Open(milliseconds(100));
  Write(file_);
  watch_->Wake();
  const Outcome first = Next();
  EXPECT_TRUE(first == Outcome::kChanged || Changed());
}

TEST_F(PluginWatchTest, TargetOfASymbolicLink) {
  Write(root_ / "b/real.so");
  fs::create_symlink("../b/real.so", file_);
  Open();
  Write(root_ / "b/other.so");
  EXPECT_TRUE(Quiet());
  Write(root_ / "b/real.so");
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, ReplacedSymbolicLinkIsFollowed) {
  Write(root_ / "b/real.so");
  fs::create_directory(root_ / "c");
  Write(root_ / "c/real.so");
  fs::create_symlink(root_ / "b/real.so", file_);
  Open();
  fs::create_symlink(root_ / "c/real.so", root_ / "a/.new");
  fs::rename(root_ / "a/.new", file_);
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(root_ / "b/real.so");
  EXPECT_TRUE(Quiet()) << "no longer on the way";
  Write(root_ / "c/real.so");
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, ReplacedLinkToADirectoryOnTheWayIsFollowed) {
  Write(root_ / "a/one.so");
  Write(root_ / "b/one.so");
  fs::create_directory_symlink("a", root_ / "current");
  file_ = root_ / "current/one.so";
  Open();
  fs::create_directory_symlink("b", root_ / ".new");
  fs::rename(root_ / ".new", root_ / "current");
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(root_ / "a/one.so");
  EXPECT_TRUE(Quiet());
  Write(root_ / "b/one.so");
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, LinkThatPointsToItselfLeadsNowhere) {
  fs::create_symlink("one.so", file_);
  Open();
  fs::remove(file_);
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, DirectoryThatDoesNotExistYet) {
  file_ = root_ / "later/deep/one.so";
  Open();
  EXPECT_TRUE(Quiet());
  fs::create_directories(root_ / "later/deep");
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, RemovedDirectoryComesBack) {
  Write(file_);
  Open();
  fs::remove_all(root_ / "a");
  EXPECT_TRUE(Changed());
  UntilQuiet();
  fs::create_directory(root_ / "a");
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, DirectoryMovedAwayIsNotTheOneThatIsWatched) {
  Write(file_);
  Open();
  fs::rename(root_ / "a", root_ / "old");
  fs::create_directory(root_ / "a");
  EXPECT_TRUE(Changed());
  UntilQuiet();
  Write(root_ / "old/one.so");
  EXPECT_TRUE(Quiet());
  Write(file_);
  EXPECT_TRUE(Changed());
}

TEST_F(PluginWatchTest, MoreEventsThanTheQueueHoldsAreAChange) {
  std::size_t queue = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue;
  if (queue == 0 || queue > 100'000) GTEST_SKIP() << "a queue of " << queue << " events is not filled here";
  Open();
  for (std::size_t i = 0; i <= queue / 2; ++i) {
    Write(root_ / "a/two.so", "");
    fs::remove(root_ / "a/two.so");
  }
  EXPECT_TRUE(Changed()) << "what was lost may have been ours";
}

}  // namespace
}  // namespace kps
