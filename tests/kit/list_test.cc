// plugin list: what a host would find.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "host/plugin/trust.h"
#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(ListTest, BundledPluginsAreFoundWithoutAnyOption) {
  const Ran ran = RunTool({"list"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr(std::string("  ") + KPS_PLUGINS + "\n"),
                             ContainsRegex("file +[0-9.]+ +INGRESS, EGRESS +/.*/file.so +Follows"),
                             ContainsRegex("generator +[0-9.]+ +INGRESS, EGRESS")));
}

TEST(ListTest, OptionComesBeforeTheVariable) {
  const TempFolder folder;
  folder.Copy(Broken("good"), "good.so");
  const std::string path = folder.path().string() + ":" + folder.path().string() + "/nothing";
  for (const Ran& ran : {RunTool({"list", "--plugin-path", path}, {"KPS_PLUGIN_PATH=/elsewhere"}),
                         RunTool({"list"}, {"KPS_PLUGIN_PATH=" + path})}) {
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("/nothing  (not there)\n"), ContainsRegex("good +1.0.0 +INGRESS ")));
    EXPECT_THAT(ran.out, Not(HasSubstr("elsewhere")));
  }
}

TEST(ListTest, BrokenOnesHaveTheirReason) {
  const TempFolder folder;
  folder.Copy(Broken("good"), "good.so");
  folder.Copy(Broken("missing_symbol"), "library.so");
  folder.Write("text.so", "no plugin");
  const Ran ran = RunTool({"list", "--plugin-path", folder.path()});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("library +- +- .*BROKEN: .*does not export"),
                             ContainsRegex("text +- +- .*BROKEN: .*is not an ELF file"), ContainsRegex("good +1.0.0")));
}

TEST(ListTest, OnesThatEverybodyMayWriteToHaveTheHostsReason) {
  const TempFolder folder;
  const std::string file = folder.Copy(Broken("good"), "good.so");
  std::filesystem::permissions(file, std::filesystem::perms(0666));
  const Ran ran = RunTool({"list", "--plugin-path", folder.path()});
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("good +- +- "), HasSubstr("BROKEN: " + CheckPlace({}, file).message())));
}

TEST(ListTest, AsJson) {
  const TempFolder folder;
  folder.Copy(Broken("good"), "good.so");
  const Ran ran = RunTool({"list", "-o", "json", "--plugin-path", folder.path().string() + ":/nowhere"});
  EXPECT_EQ(ran.exit_code, 0);
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(ran.out.c_str()).HasParseError()) << ran.out;
  ASSERT_EQ(json["searchPath"].Size(), 2u);
  EXPECT_TRUE(json["searchPath"][0]["exists"].GetBool());
  EXPECT_FALSE(json["searchPath"][1]["exists"].GetBool());
  ASSERT_EQ(json["plugins"].Size(), 1u);
  EXPECT_STREQ(json["plugins"][0]["descriptor"]["version"].GetString(), "1.0.0");
}

TEST(ListTest, NothingThere) {
  const TempFolder folder;
  const Ran ran = RunTool({"list", "--plugin-path", folder.path()});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("No plugin was found."));
}

}  // namespace
}  // namespace kps::cli
