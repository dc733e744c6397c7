// A host with a state directory. What it survives: tests/chaos.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/host_process.h"

namespace kps::test {
namespace {

TEST(StateTest, ADirectoryThatAnotherHostUsesIsRefused) {
  TempFolder folder;
  HostProcess first({"--plugin", "file", "--state-dir", folder.Path("state")});
  ASSERT_TRUE(first.WaitUntilListening()) << first.process().err();
  HostProcess second({"--plugin", "file", "--state-dir", folder.Path("state")});
  EXPECT_EQ(second.process().Wait(), 1);
  EXPECT_THAT(second.process().err(), testing::HasSubstr("--state-dir"));
}

TEST(StateTest, AStateThatCannotBeSavedAtTheEndIsAnExitCodeOfItsOwn) {
  TempFolder folder;
  HostProcess host({"--plugin", "generator", "--state-dir", folder.Path("state"), "--drain-timeout", "1"});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  const std::string stream = StreamJson("in", "INGRESS", "c", R"({"ratePerSecond":1000})");
  host.Client({"streams", "set", folder.Write("in.json", stream)});
  std::filesystem::remove_all(folder.Path("state"));
  EXPECT_TRUE(host.process().WaitForOutput("the state cannot be saved"));
  EXPECT_EQ(host.Stop(), 5);
  EXPECT_THAT(host.process().err(), testing::HasSubstr("what was read last may come twice"));
}

}  // namespace
}  // namespace kps::test
