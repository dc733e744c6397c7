// The static parameter "root" of the plugin file: what others name stays below it.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/plugins/harness.h"

namespace kps::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

std::string Path(const std::string& path) { return R"({"path": ")" + path + "\"}"; }

class FileRootTest : public ::testing::Test {
 protected:
  FileRootTest() {
    fs::create_directory(root_);
    append(outside_, "secret\n");
    append(root_ + "/in", "open\n");
  }
  std::string Static(const std::string& more = "") const { return R"({"root": ")" + root_ + '"' + more + "}"; }

  void ExpectRefused(const std::string& path) {
    SCOPED_TRACE(path);
    for (const bool ingress : {true, false}) {
      const Error error = error_of([&] {
        if (ingress) {
          Consumer(plugin_, Path(path));
        } else {
          Producer(plugin_, Path(path));
        }
      });
      EXPECT_EQ(error.code, KPS_PERMISSION_DENIED);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("leads out of " + root_), HasSubstr("\"root\"")));
    }
    EXPECT_EQ(read_all(outside_), "secret\n");
  }

  const Directory directory_;
  const std::string root_ = directory_ / "root";
  const std::string outside_ = directory_ / "outside";
  Plugin plugin_{"file", R"({"root": ")" + (fs::create_directory(root_), root_) + "/\"}"};
};

TEST_F(FileRootTest, APathBeginsAtTheRootOrNamesIt) {
  for (const std::string& path : {std::string("in"), root_ + "/in", root_ + "//in", std::string("./in")}) {
    Consumer consumer(plugin_, Path(path));
    EXPECT_THAT(consumer.next(1000), ElementsAre("open")) << path;
  }
  Producer producer(plugin_, Path("out"));
  EXPECT_EQ(producer.produce({"x"}), 1u);
  producer.flush();
  EXPECT_EQ(read_all(root_ + "/out"), "x\n");
}

TEST_F(FileRootTest, WhatLeadsOutOfItIsRefused) {
  fs::create_symlink(outside_, root_ + "/link");
  fs::create_symlink("../outside", root_ + "/relative-link");
  fs::create_symlink("..", root_ + "/up");
  for (const std::string& path : {std::string("../outside"), outside_, root_ + "/../outside", std::string("link"),
                                  std::string("relative-link"), std::string("up/outside"), root_ + "-other/in"}) {
    ExpectRefused(path);
  }
}

TEST_F(FileRootTest, ASymbolicLinkWithinItIsFollowed) {
  fs::create_symlink("in", root_ + "/link");
  Consumer consumer(plugin_, Path("link"));
  EXPECT_THAT(consumer.next(1000), ElementsAre("open"));
}

TEST_F(FileRootTest, AFileThatBecomesALinkOutOfItIsNotRead) {
  Consumer consumer(plugin_, R"({"path": "in", "rotateWaitMs": 0})");
  EXPECT_THAT(consumer.next(1000), ElementsAre("open"));
  fs::rename(root_ + "/in", root_ + "/in.1");
  fs::create_symlink(outside_, root_ + "/in");
  const Error error = error_of([&] { (void)consumer.collect(1, 5000); });
  EXPECT_EQ(error.code, KPS_PERMISSION_DENIED) << error.what();
}

TEST_F(FileRootTest, AFileIsFollowedThroughARotation) {
  Consumer consumer(plugin_, R"({"path": "in", "rotateWaitMs": 0})");
  EXPECT_THAT(consumer.next(1000), ElementsAre("open"));
  fs::rename(root_ + "/in", root_ + "/in.1");
  append(root_ + "/in", "next\n");
  EXPECT_THAT(consumer.collect(1), ElementsAre("next"));
}

TEST_F(FileRootTest, WhatIsDiscoveredIsBelowIt) {
  fs::create_symlink(outside_, root_ + "/link");
  Plugin plugin("file", Static(R"(, "discover": ")" + directory_.path + R"(/*/*")"));
  EXPECT_THAT(plugin.discover(), ElementsAre(HasSubstr(root_ + "/in\"")));
  Plugin outside("file", Static(R"(, "discover": ")" + directory_.path + R"(/out*")"));
  EXPECT_THAT(outside.discover(), ElementsAre());
}

TEST_F(FileRootTest, ARootThatIsNoneIsRefusedAtTheStart) {
  const Error none = error_of([&] { Plugin("file", R"({"root": "/nowhere"})"); });
  EXPECT_EQ(none.code, KPS_NOT_FOUND);
  EXPECT_THAT(none.what(), AllOf(HasSubstr("\"root\""), HasSubstr("/nowhere")));
  EXPECT_NE(error_of([&] { Plugin("file", R"({"root": ")" + outside_ + "\"}"); }).code, KPS_OK);
  EXPECT_EQ(error_of([&] { Plugin("file", R"({"root": "here"})"); }).code, KPS_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace kps::testing
