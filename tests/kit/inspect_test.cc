// plugin inspect: what is known about every kind of plugin, and most of all about those that cannot be used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <sys/stat.h>

#include <chrono>

#include "cli/kit/inspect/inspect_child.h"
#include "cli/kit/inspect/plugin_report.h"
#include "host/plugin/child_process.h"
#include "host/plugin/trust.h"
#include "tests/kit/run_tool.h"
#include "tests/support/eventually.h"

namespace kps::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(InspectTest, BundledPluginByName) {
  const Ran ran = RunTool({"inspect", "file"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("PLUGIN +file [0-9]"), ContainsRegex("directions +INGRESS, EGRESS"),
                             ContainsRegex("functions +configure, discover, ack"), ContainsRegex("flags +OVERLAP_SAFE"),
                             ContainsRegex("plugin ABI +1 "), ContainsRegex("unloadable +yes"),
                             ContainsRegex("needs +libc.so.6: /")));
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("path +string +yes +- +at least 1 character +The file"),
                             ContainsRegex("chunkBytes +integer +no +65536 +1 to 67108864 ")));
  EXPECT_THAT(ran.out, Not(HasSubstr("PROBLEM")));
}

TEST(InspectTest, WhatEverybodyMayWriteToIsAProblemInTheHostsWords) {
  const TempFolder folder;
  const std::string file = folder.Copy(Broken("hangs_in_static_constructor"), "hangs.so");
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0777));
  const std::string reason = CheckPlace({}, file).message();
  ASSERT_THAT(reason, HasSubstr("everybody may write to " + folder.path().string()));
  const Ran ran = RunTool({"inspect", file});  // it would hang, if it were loaded
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("PROBLEM"), HasSubstr(reason)));
  // It is the place that is at fault, for those who look at it.
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string good = folder.Copy(Broken("good"), "good.so");
  EXPECT_EQ(RunTool({"inspect", good}).exit_code, 0);
}

TEST(InspectTest, APathToWhatIsNoFileSaysWhatItIs) {
  const TempFolder folder;
  const auto expect = [&](const std::string& name, const std::string& what) {
    const std::string path = folder.path() / name;
    const Ran ran = RunTool({"inspect", path});
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(ran.err, path + " is no plugin file, but " + what + "\n");
  };
  std::filesystem::create_directory(folder.path() / "directory.so");
  expect("directory.so", "a directory");
  ASSERT_EQ(mkfifo((folder.path() / "fifo.so").c_str(), 0600), 0);
  expect("fifo.so", "a FIFO");
  std::filesystem::create_symlink("gone.so", folder.path() / "link.so");
  expect("link.so", "a symbolic link to gone.so, which is not there");
  std::filesystem::create_symlink("/dev/null", folder.path() / "device.so");
  expect("device.so", "a device");
  EXPECT_THAT(RunTool({"inspect", folder.path() / "none.so"}).err, HasSubstr("there is no plugin file "));
}

TEST(InspectTest, AnExecutableIsNamedAsOne) {
  const TempFolder folder;
  const std::string file = folder.Copy(KPS_CONNECTOR, "program.so");
  const Ran ran = RunTool({"inspect", file});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, HasSubstr(file + " is an executable, no shared library: build it with kps_add_plugin()"));
  EXPECT_THAT(ran.out, Not(HasSubstr("boost::dll")));
}

TEST(InspectTest, AsJson) {
  const Ran ran = RunTool({"inspect", "generator", "-o", "json", "--plugin-path", KPS_PLUGINS});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(ran.out.c_str()).HasParseError()) << ran.out;
  EXPECT_TRUE(json["usable"].GetBool());
  const auto& descriptor = json["descriptor"];
  EXPECT_STREQ(descriptor["name"].GetString(), "generator");
  EXPECT_EQ(descriptor["abiVersion"].GetInt(), 1);
  EXPECT_EQ(descriptor["directions"].Size(), 2u);
  EXPECT_TRUE(descriptor["staticSchema"].IsNull());
  EXPECT_STREQ(descriptor["streamSchema"]["type"].GetString(), "object");
  EXPECT_TRUE(json["elf"]["unloadable"].GetBool());
  EXPECT_EQ(json["elf"]["missing"].Size(), 0u);
  EXPECT_EQ(std::string(json["elf"]["sha256"].GetString()).size(), 64u);
}

TEST(InspectTest, AsMarkdown) {
  const Ran ran = RunTool({"inspect", "file", "--markdown"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\nStatic parameters:\n\n| parameter | type | default | meaning |\n|---|---|---|---|\n"
                                 "| `root` | string, matches /^// |  | The directory"));
  EXPECT_THAT(ran.out, HasSubstr("\n| `discover` | string, at least 1 character |  | Which files"));
  EXPECT_THAT(ran.out, HasSubstr("\nStream metadata:\n"));
  EXPECT_THAT(ran.out, HasSubstr("| `path` | string, at least 1 character | required | The file"));
  EXPECT_THAT(ran.out, HasSubstr("| `chunkBytes` | integer, 1 to 67108864 | `65536` | INGRESS"));
}

TEST(InspectTest, BrokenOneIsShownWithItsReason) {
  const std::pair<const char*, const char*> broken[] = {
      {"missing_symbol", "does not export kps_plugin_v1"},
      {"too_new_abi", "is built for plugin ABI"},
      {"throws_in_static_constructor", "crashed with SIGABRT.* while it was loaded.*no static luck"},
      {"throws_in_entry", "threw an exception across the ABI"},
  };
  for (const auto& [name, reason] : broken) {
    const Ran ran = RunTool({"inspect", Broken(name)});
    EXPECT_EQ(ran.exit_code, 2) << name;
    EXPECT_THAT(ran.out, AllOf(ContainsRegex("PLUGIN +-"), ContainsRegex("sha256 +[0-9a-f]{64}"),
                               ContainsRegex(std::string("PROBLEM .*") + reason)));
  }
}

TEST(InspectTest, BrokenOneAsJson) {
  const Ran ran = RunTool({"inspect", Broken("missing_symbol"), "-o", "json"});
  EXPECT_EQ(ran.exit_code, 2);
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(ran.out.c_str()).HasParseError()) << ran.out;
  EXPECT_FALSE(json["usable"].GetBool());
  EXPECT_EQ(json["problems"].Size(), 1u);
  EXPECT_TRUE(json["descriptor"].IsNull());
  EXPECT_FALSE(json["elf"]["exportsEntry"].GetBool());
}

TEST(InspectTest, MissingLibraryIsNamed) {
  const TempFolder folder;
  const std::string plugin = folder.Copy(Odd("needs_library"), "needs-library.so");
  const Ran ran = RunTool({"inspect", plugin});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("needs +libodd-from_a_library.so: MISSING"),
                             ContainsRegex("runpath +\\$ORIGIN/needed"),
                             ContainsRegex("PROBLEM .*libodd-from_a_library.so: cannot open shared object file")));
  EXPECT_EQ(RunTool({"inspect", Odd("needs_library")}).exit_code, 0);
}

TEST(InspectTest, TruncatedFileIsNotLoaded) {
  const TempFolder folder;
  std::ifstream file(Broken("good"), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Ran ran = RunTool({"inspect", folder.Write("cut.so", content.substr(0, content.size() / 2))});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("architecture +x86-64|architecture +AArch64"), HasSubstr("is cut short")));
  const Ran text = RunTool({"inspect", folder.Write("text.so", "no plugin")});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.out, AllOf(ContainsRegex("architecture +-"), HasSubstr("is not an ELF file")));
}

TEST(InspectTest, SchemaThatIsNone) {
  const Ran ran = RunTool({"inspect", Odd("bad_schema")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("PLUGIN +bad-schema 1.0.0"),
                             ContainsRegex("PROBLEM +its stream_schema cannot be used: at /type")));
}

TEST(InspectTest, WhyItIsNotUnloaded) {
  EXPECT_THAT(RunTool({"inspect", Odd("unique_symbol")}).out, ContainsRegex("unloadable +no: 1 UNIQUE symbol"));
  EXPECT_THAT(RunTool({"inspect", Odd("thread_exit")}).out,
              ContainsRegex("unloadable +yes, but not before the threads"));
  EXPECT_THAT(RunTool({"inspect", Odd("static_tls")}).out, ContainsRegex("static TLS +yes: a running host may have"));
  EXPECT_THAT(RunTool({"inspect", Broken("no_unload")}).out,
              AllOf(ContainsRegex("unloadable +no: asks to stay"), ContainsRegex("flags +NO_UNLOAD")));
  EXPECT_THAT(RunTool({"inspect", Broken("no_unload"), "-o", "json"}).out, HasSubstr("\"KPS_FLAG_NO_UNLOAD\""));
}

TEST(InspectTest, HangWhileItIsLoadedEnds) {
  const auto begun = std::chrono::steady_clock::now();
  const auto report = InspectPlugin(Broken("hangs_in_static_constructor"),
                                    {.program = KPS_CONNECTOR, .timeout = std::chrono::milliseconds(1500)});
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0], HasSubstr("did not end in time while it was loaded"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, test::kDeadline);
}

TEST(InspectTest, ProgramThatIsNoChild) {
  const auto gone = InspectPlugin(Broken("good"), {.program = "/nowhere/program"});
  ASSERT_EQ(gone.problems.size(), 1u);
  EXPECT_THAT(gone.problems[0], HasSubstr("cannot start /nowhere/program"));
  const auto other = InspectPlugin(Broken("good"), {.program = "/bin/true"});
  ASSERT_EQ(other.problems.size(), 1u);
  EXPECT_THAT(other.problems[0], HasSubstr("exited with code 0 before it was loaded"));
}

TEST(InspectTest, PluginThatIsNotThere) {
  const Ran ran = RunTool({"inspect", "nonesuch"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("there is no plugin \"nonesuch\""), HasSubstr("generator")));
  EXPECT_EQ(RunTool({"inspect"}).exit_code, 1);
}

TEST(InspectTest, ChildStartedByHandSaysWhatItIs) {
  test::Process process({KPS_CONNECTOR, kInspectArgument}, {});
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.err(), HasSubstr("it is not for people"));
}

}  // namespace
}  // namespace kps::cli
