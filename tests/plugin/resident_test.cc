// Which libraries stay in the process, and which code a path gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host/plugin/load.h"
#include "host/plugin/snapshot.h"

namespace kps {
namespace {

namespace fs = std::filesystem;

// Counts what comes on top of what earlier tests of this process have left.
class ResidentTest : public testing::Test {
 protected:
  Snapshot Take(const std::string& name) {
    auto snapshot = snapshots_->Take(std::string(KPS_BROKEN_PLUGINS "/") + name + ".so");
    EXPECT_TRUE(snapshot.ok()) << snapshot.error().ToString();
    return snapshot.value();
  }
  std::size_t Resident() const { return ResidentLibraries() - before_; }

  std::unique_ptr<Snapshots> snapshots_ = std::move(Snapshots::Open().value());
  const std::size_t before_ = ResidentLibraries();
};

TEST_F(ResidentTest, ALibraryIsCountedAsLongAsItIsMapped) {
  auto one = LoadPlugin(Take("good").path);
  auto two = LoadPlugin(Take("good").path);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(Resident(), 2u);
  one.value().reset();
  EXPECT_EQ(Resident(), 1u);
  two.value().reset();
  EXPECT_EQ(Resident(), 0u);
}

TEST_F(ResidentTest, AlsoWhenItsFileIsGone) {
  const Snapshot snapshot = Take("good");
  auto plugin = LoadPlugin(snapshot.path);
  ASSERT_TRUE(plugin.ok());
  snapshots_->Discard(snapshot);
  EXPECT_EQ(Resident(), 1u);
  plugin.value().reset();
  EXPECT_EQ(Resident(), 0u);
}

TEST_F(ResidentTest, APluginThatCannotBeUnloadedStays) {
  auto plugin = LoadPlugin(Take("no_unload").path);
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  plugin.value().reset();
  EXPECT_EQ(Resident(), 1u);
}

TEST_F(ResidentTest, NoUnloadKeepsAnyPlugin) {
  auto plugin = LoadPlugin(Take("good").path, {.no_unload = true});
  ASSERT_TRUE(plugin.ok());
  plugin.value().reset();
  EXPECT_EQ(Resident(), 1u);
}

TEST_F(ResidentTest, NoUnloadKeepsWhatWasRefused) {
  EXPECT_FALSE(LoadPlugin(Take("refuses_host").path).ok());
  EXPECT_EQ(Resident(), 0u);
  EXPECT_FALSE(LoadPlugin(Take("refuses_host").path, {.no_unload = true}).ok());
  EXPECT_EQ(Resident(), 1u);
}

TEST_F(ResidentTest, APathGivesItsFirstLibraryAndASnapshotTheNewOne) {
  const fs::path file = fs::path(snapshots_->directory()) / "swapped.so";
  fs::copy_file(KPS_BROKEN_PLUGINS "/good.so", file);
  const auto first = LoadPlugin(file);
  ASSERT_TRUE(first.ok());
  fs::copy_file(KPS_BROKEN_PLUGINS "/odd_answers.so", file.string() + ".new");
  fs::rename(file.string() + ".new", file);

  const auto same_path = LoadPlugin(file);
  ASSERT_TRUE(same_path.ok());
  EXPECT_EQ(same_path.value()->descriptor().name, "good") << "of before: why there are snapshots";
  const auto snapshot = snapshots_->Take(file);
  ASSERT_TRUE(snapshot.ok());
  const auto second = LoadPlugin(snapshot.value().path);
  ASSERT_TRUE(second.ok()) << second.error().ToString();
  EXPECT_EQ(second.value()->descriptor().name, "odd-answers");
  EXPECT_EQ(first.value()->descriptor().name, "good") << "both are there";
}

}  // namespace
}  // namespace kps
