// Plugin files on a search path.
#include "host/plugin/find.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FindTest : public testing::Test {
 protected:
  FindTest() {
    char pattern[] = "/tmp/kps-find-XXXXXX";
    root_ = mkdtemp(pattern);
    fs::create_directories(root_ / "a");
    fs::create_directories(root_ / "b");
  }
  ~FindTest() override { fs::remove_all(root_); }

  std::string Touch(const std::string& name) {
    const fs::path path = root_ / name;
    std::ofstream(path) << "x";
    return path.string();
  }
  std::vector<std::string> Path() const { return {root_ / "a", root_ / "b"}; }

  fs::path root_;
};

TEST_F(FindTest, SearchPathIsSplitAtColonsAndEmptyPartsAreLeftOut) {
  EXPECT_THAT(SplitSearchPath("/a:/b"), ElementsAre("/a", "/b"));
  EXPECT_THAT(SplitSearchPath(":/a::/b:"), ElementsAre("/a", "/b"));
  EXPECT_THAT(SplitSearchPath(""), IsEmpty());
}

TEST_F(FindTest, ListsEachNameOnceInOrderAndOnlyPlugins) {
  Touch("b/zeta.so");
  Touch("a/zeta.so");
  Touch("b/alpha.so");
  Touch("a/readme.txt");
  EXPECT_THAT(ListPlugins(Path()), ElementsAre("alpha", "zeta"));
}

TEST_F(FindTest, DirectoryThatIsNotThereHoldsNoPlugins) {
  EXPECT_THAT(ListPlugins({root_ / "nowhere"}), IsEmpty());
  EXPECT_EQ(DescribePlugins({"/nowhere"}), "No plugin was found in /nowhere.");
}

TEST_F(FindTest, FirstDirectoryWins) {
  Touch("b/one.so");
  EXPECT_EQ(FindPlugin("one", Path()).value(), root_ / "b/one.so");
  Touch("a/one.so");
  EXPECT_EQ(FindPlugin("one", Path()).value(), root_ / "a/one.so");
}

TEST_F(FindTest, PathIsTakenAsItIs) {
  const std::string path = Touch("elsewhere.so");
  EXPECT_EQ(FindPlugin(path, Path()).value(), path);
}

TEST_F(FindTest, PathThatIsNotThereIsNamed) {
  const auto found = FindPlugin("/nowhere/one.so", Path());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_THAT(found.error().message(), HasSubstr("/nowhere/one.so"));
}

TEST_F(FindTest, UnknownNameListsThoseThatExistAndWhere) {
  Touch("a/one.so");
  Touch("b/two.so");
  const auto found = FindPlugin("three", Path());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_THAT(found.error().message(), HasSubstr("no plugin \"three\""));
  EXPECT_THAT(found.error().message(), HasSubstr("Plugins found: one, two"));
  EXPECT_THAT(found.error().message(), HasSubstr((root_ / "b").string()));
}

TEST_F(FindTest, NameHasNoDot) {
  Touch("a/one.two.so");
  for (const char* name : {"", "..", ".", "one.two"}) {
    const auto found = FindPlugin(name, Path());
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().code(), Code::kInvalidArgument) << name;
  }
}

TEST_F(FindTest, DirectoryNamedLikeAPluginIsNone) {
  fs::create_directories(root_ / "a/dir.so");
  EXPECT_FALSE(FindPlugin("dir", Path()).ok());
  EXPECT_THAT(ListPlugins(Path()), IsEmpty());
}

}  // namespace
}  // namespace kps
