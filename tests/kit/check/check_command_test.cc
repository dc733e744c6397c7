// plugin check, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/kit/run_tool.h"
#include "tests/support/eventually.h"

namespace kps::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Conduct(const std::string& rule) { return std::string(KPS_CONDUCT "/") + rule + "/conduct.so"; }

TEST(CheckCommandTest, TheExitCodeSaysWhetherARuleIsBroken) {
  const Ran kept = RunTool({"check", Conduct("none"), "--rule", "table", "--rule", "flush"});
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("2 rules kept, 0 broken, 0 not examined\n"));
  const Ran broken = RunTool({"check", Conduct("flush"), "--rule", "flush"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_THAT(broken.out, AllOf(HasSubstr("! flush of nothing answered INTERNAL: there is nothing to flush\n"),
                                HasSubstr("0 rules kept, 1 broken, 0 not examined\n")));
}

TEST(CheckCommandTest, ResultsAreWrittenForACiServerToo) {
  const TempFolder folder;
  const std::string file = (folder.path() / "results.xml").string();
  const Ran ran = RunTool({"check", Conduct("flush"), "--rule", "flush", "-o", "json", "--junit", file});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("\"conforms\": false"), HasSubstr("\"outcome\": \"broken\"")));
  std::stringstream junit;
  junit << std::ifstream(file).rdbuf();
  EXPECT_THAT(junit.str(),
              AllOf(HasSubstr("failures=\"1\""), HasSubstr("<testcase classname=\"conduct\" name=\"flush\"")));
  const Ran nowhere = RunTool({"check", Conduct("none"), "--rule", "table", "--junit", "/nowhere/results.xml"});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write /nowhere/results.xml: No such file"));
}

TEST(CheckCommandTest, WhatIsAskedForWronglyIsSaid) {
  const Ran rule = RunTool({"check", Conduct("none"), "--rule", "politeness"});
  EXPECT_EQ(rule.exit_code, 1);
  EXPECT_THAT(rule.err, HasSubstr("politeness"));
  const Ran file = RunTool({"check", "/nowhere/mine.so"});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_THAT(file.err, HasSubstr("/nowhere/mine.so"));
  const Ran stream = RunTool({"check", Conduct("none"), "--stream", R"({"pace": "quick"})"});
  EXPECT_EQ(stream.exit_code, 1);
  EXPECT_THAT(stream.err, HasSubstr("--stream: pace "));
}

TEST(CheckCommandTest, WithoutAPlaceForTemporaryFilesItSaysWhichOneItTried) {
  const Ran ran = RunTool({"check", Conduct("none"), "--rule", "table"}, {"TMPDIR=/proc"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("/proc"), HasSubstr("TMPDIR")));
  EXPECT_EQ(RunTool({"check", Conduct("none"), "--rule", "table"}, {"TMPDIR=/nowhere"}).exit_code, 1);
}

TEST(CheckCommandTest, ASignalEndsItAndLeavesNothing) {
  const TempFolder folder;
  test::Process process({KPS_CONNECTOR, "plugin", "check", Conduct("hang")}, {"TMPDIR=" + folder.path().string()});
  ASSERT_TRUE(test::Eventually([&] { return !std::filesystem::is_empty(folder.path()); }));
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.err(), HasSubstr("stopped"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckCommandTest, ItsChildIsNotForPeople) {
  test::Process process({KPS_CONNECTOR, "--check-rule"}, {});
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.err(), HasSubstr("not for people"));
}

}  // namespace
}  // namespace kps::cli
