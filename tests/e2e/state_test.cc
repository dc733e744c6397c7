// A host with a state directory. What it survives: tests/chaos.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace kps::test
