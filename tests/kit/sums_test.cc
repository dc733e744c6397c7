// plugin sums: the list that the host takes with --plugin-sums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(SumsTest, EveryPluginThatIsFoundOrThoseThatAreNamed) {
  const TempFolder folder;
  folder.Write("one.so", "1");
  folder.Write("two.so", "2");
  const Ran all = RunTool({"sums", "--plugin-path", folder.path()});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(all.out,
            "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  one.so\n"
            "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35  two.so\n");
  const Ran some = RunTool({"sums", "--plugin-path", folder.path(), "two", folder.path() / "one.so"});
  EXPECT_THAT(some.out, MatchesRegex("d473[0-9a-f]*  two.so\n6b86[0-9a-f]*  one.so\n"));
}

TEST(SumsTest, SaysWhichIsNotThere) {
  const Ran ran = RunTool({"sums", "nothing", "--plugin-path", "/nowhere"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("there is no plugin \"nothing\""));
  EXPECT_EQ(RunTool({"sums", "--plugin-path", "/nowhere"}).exit_code, 1);
}

}  // namespace
}  // namespace kps::cli
