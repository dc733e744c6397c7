// plugin run: the plugin as in the host, with a terminal in the place of the platform.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string Content(const std::string& file) {
  std::ifstream opened(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(opened), std::istreambuf_iterator<char>()};
}

std::string FileStream(const std::string& direction, const std::string& path) {
  return R"({"name": "f", "direction": ")" + direction + R"(", "stream": {"path": ")" + path + "\"}}";
}

// A shell's redirections and pipes; $RUN is the tool.
Ran RunShell(const std::string& script) {
  test::Process process({"/bin/sh", "-c", script},
                        {std::string("RUN=") + KPS_CONNECTOR + " plugin run", "PATH=/usr/bin:/bin"});
  Ran ran;
  ran.exit_code = process.Wait();
  ran.out = process.out();
  ran.err = process.err();
  return ran;
}

TEST(RunTest, IngressPrintsWhatThePluginReads) {
  const TempFolder folder;
  const std::string input = folder.Write("in.txt", "first\nsecond\nthird\n");
  const std::string stream = folder.Write("stream.json", FileStream("INGRESS", input));
  const Ran ran = RunTool({"run", "file", "--stream", stream, "--count", "3"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "first\nsecond\nthird\n");
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("INFO  f: INGRESS stream started"), HasSubstr("EVENT status streamHealthy: HEALTHY"),
                    ContainsRegex("3 messages, 16 bytes in [0-9.]+ s: [0-9]+ messages/s, [0-9]+ bytes/s")));
}

TEST(RunTest, FormatsOfMessages) {
  const TempFolder folder;
  const std::string input = folder.Write("in.txt", "ab\xFF\n");
  const std::string metadata = folder.Write("metadata.json", R"({"path": ")" + input + "\"}");
  const Ran hex = RunTool({"run", "file", "--ingress", "--stream", metadata, "--count", "1", "--format", "hex"});
  EXPECT_EQ(hex.out, "6162ff\n") << hex.err;
  const Ran json = RunTool({"run", "file", "--ingress", "--stream", metadata, "--count", "1", "--format", "json"});
  EXPECT_THAT(json.out, MatchesRegex("\\{\"timestampNs\":[0-9]+,\"payloadHex\":\"6162ff\"\\}\n")) << json.err;
}

TEST(RunTest, CountIsExactWhereThePluginIsFast) {
  const Ran ran = RunTool({"run", "generator", "--ingress", "--count", "5000", "--format", "hex"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 5000);
  EXPECT_THAT(ran.err, HasSubstr("5000 messages, 80000 bytes in "));
}

TEST(RunTest, EgressTakesTheLinesOfStdinAndEndsWhenAllAreDelivered) {
  const TempFolder folder;
  const std::string output = folder.path() / "out.txt";
  const std::string stream = folder.Write("stream.json", FileStream("EGRESS", output));
  const Ran ran = RunShell("seq 3000 | $RUN file --drain-timeout 0 --stream " + stream);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(Content(output), RunShell("seq 3000").out);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("3000 messages, "), HasSubstr("delivered 3000, dead letters 0, dropped 0")));
}

TEST(RunTest, WhatOneRunPrintsAnotherTakes) {
  const TempFolder folder;
  const std::string input = folder.Write("in.txt", "a\"b\n\xFF\n\n");
  const std::string output = folder.path() / "out.txt";
  const std::string in = folder.Write("in.json", FileStream("INGRESS", input));
  const std::string out = folder.Write("out.json", FileStream("EGRESS", output));
  for (const std::string format : {"json", "hex", "text"}) {
    std::filesystem::remove(output);
    const Ran ran = RunShell("$RUN file --count 3 --format " + format + " --stream " + in + " | $RUN file --format " +
                             format + " --stream " + out);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(Content(output), Content(input)) << format;
  }
}

TEST(RunTest, LineThatIsNoneEndsItAfterWhatCameBefore) {
  const TempFolder folder;
  const std::string output = folder.path() / "out.txt";
  const std::string stream = folder.Write("stream.json", FileStream("EGRESS", output));
  const Ran ran = RunShell("printf '61\\nnonsense\\n62\\n' | $RUN file --format hex --stream " + stream);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("line 2 of stdin is not hex"), HasSubstr("delivered 1,")));
  EXPECT_EQ(Content(output), "a\n");
  const Ran unreadable = RunShell("$RUN file --stream " + stream + " </tmp");
  EXPECT_EQ(unreadable.exit_code, 1);
  EXPECT_THAT(unreadable.err, HasSubstr("line 1 of stdin cannot be read: Is a directory"));
}

TEST(RunTest, SignalEndsItInOrder) {
  for (const int number : {SIGINT, SIGTERM}) {
    test::Process ingress({KPS_CONNECTOR, "plugin", "run", "template", "--ingress"}, {});
    ASSERT_TRUE(ingress.WaitForOutput("hello")) << ingress.err();
    ingress.Signal(number);
    EXPECT_EQ(ingress.Wait(), 0) << ingress.err();
    EXPECT_THAT(ingress.err(), HasSubstr(" messages, "));
  }
  const TempFolder folder;
  const std::string fifo = folder.path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  // Open for writing as well, it has no end.
  test::Process egress({"/bin/sh", "-c", "exec " KPS_CONNECTOR " plugin run template --egress <>" + fifo}, {});
  ASSERT_TRUE(egress.WaitForOutput("streamHealthy")) << egress.err();
  egress.Signal(SIGINT);
  EXPECT_EQ(egress.Wait(), 0) << egress.err();
  EXPECT_THAT(egress.err(), HasSubstr("0 messages, 0 bytes"));
}

TEST(RunTest, ReaderThatGoesEndsIt) {
  const Ran ran = RunShell("$RUN generator --ingress --format hex | head -n 2");
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr(" messages, "), HasSubstr("cannot write the output")));
}

TEST(RunTest, WrongMetadataAreRefusedInTheWordsOfTheSchema) {
  const TempFolder folder;
  const std::string stream =
      folder.Write("s.json", R"({"name": "f", "direction": "INGRESS", "stream": {"path": "", "mode": "words"}})");
  const Ran ran = RunTool({"run", "file", "--stream", stream});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("stream \"f\".metadata.path "), HasSubstr("stream \"f\".metadata.mode ")));
  EXPECT_THAT(ran.err, Not(HasSubstr("messages/s")));
}

TEST(RunTest, WrongCommandLineOrFile) {
  const TempFolder folder;
  const std::string text = folder.Write("text", "no JSON");
  const std::string ingress = folder.Write("in.json", FileStream("INGRESS", "/tmp/x"));
  const std::string two = folder.Write(
      "two.json", "[" + FileStream("INGRESS", "/x") + "," + R"({"name": "g", "direction": "EGRESS", "stream": {}}])");
  const std::string none = folder.Write("none.json", R"({"name": "c", "config": {"a": 1}})");
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"run", "nonesuch"}, "there is no plugin \"nonesuch\""},
      {{"run", "file"}, "has both directions: choose one with --ingress or --egress"},
      {{"run", "file", "--ingress", "--egress"}, "excludes"},
      {{"run", "file", "--egress", "--stream", ingress}, "is an INGRESS stream, but --egress was given"},
      {{"run", Broken("good"), "--egress"}, "plugin good has no EGRESS streams"},
      {{"run", "file", "--ingress", "--stream", text}, "expected"},
      {{"run", "file", "--ingress", "--stream", "/nowhere.json"}, "cannot read /nowhere.json"},
      {{"run", "file", "--stream", two}, "holds 2 streams: one stream is needed"},
      {{"run", "file", "--ingress", "--config", ingress}, "holds no config"},
      {{"run", "file", "--ingress", "--static-param", "novalue"}, "KEY=VALUE is needed"},
      {{"run", "file", "--ingress", "--static-param", "discover=1"}, "static parameters.discover"},
      {{"run", "file", "--ingress", "--config", none}, "metadata.path"},
      {{"run", "generator", "--ingress", "--format", "xml"}, "xml"},
  };
  for (const auto& [arguments, complaint] : wrong) {
    const Ran ran = RunTool(arguments);
    EXPECT_EQ(ran.exit_code, 1) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(complaint));
    EXPECT_EQ(ran.out, "");
  }
}

TEST(RunTest, PluginThatCannotBeUsed) {
  const Ran symbol = RunTool({"run", Broken("missing_symbol")});
  EXPECT_EQ(symbol.exit_code, 2);
  EXPECT_THAT(symbol.err, HasSubstr("does not export kps_plugin_v1"));
  const Ran create = RunTool({"run", Broken("fails_create")});
  EXPECT_EQ(create.exit_code, 2);
  EXPECT_THAT(create.err, HasSubstr("set it to the address of the broker"));
}

TEST(RunTest, StreamThatFailsForGood) {
  const Ran ran = RunTool({"run", Broken("throws_in_create_consumer")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("EVENT alert streamFailed: CRITICAL, FAILED: stream has failed: "),
                             HasSubstr("0 messages, 0 bytes")));
  const TempFolder folder;
  const std::string stream = folder.Write("out.json", FileStream("EGRESS", "/proc/nothing/here"));
  const Ran egress = RunShell("seq 3 | $RUN file --stream " + stream);
  EXPECT_EQ(egress.exit_code, 2) << egress.err;
}

TEST(RunTest, PluginThatDoesNotComeBackIsLeftBehind) {
  test::Process process({KPS_CONNECTOR, "plugin", "run", KPS_HANGS, "--drain-timeout", "0"},
                        {"KPS_TEST_HANGS=next_msg"});
  ASSERT_TRUE(process.WaitForOutput("streamHealthy")) << process.err();
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_THAT(process.err(), AllOf(HasSubstr("the plugin has been in next_msg for "), HasSubstr("ended without it")));
}

TEST(RunTest, ConfigAndStaticParametersReachThePlugin) {
  const TempFolder folder;
  const std::string config = folder.Write("config.json", R"({"name": "c", "config": {"log_level": "DEBUG"}})");
  const std::string plain = folder.Write("plain.json", R"({"log_level": "nonsense"})");
  const Ran refused = RunTool({"run", "generator", "--ingress", "--count", "1", "--config", plain});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("log_level"));
  const Ran taken = RunTool({"run", "generator", "--ingress", "--count", "1", "--format", "hex", "--config", config});
  EXPECT_EQ(taken.exit_code, 0) << taken.err;
  const Ran params = RunTool({"run", Broken("tells_of_its_process"), "--static-param", "a=1", "--static-param", "b=x"});
  EXPECT_EQ(params.exit_code, 2);
  EXPECT_THAT(params.err, HasSubstr("got 15 and 2 bytes"));  // {"a":1,"b":"x"}
}

TEST(RunTest, WatchedPluginGoesOnInItsNewVersion) {
  const TempFolder folder;
  const std::string plugin = folder.Copy(std::string(KPS_PLUGINS) + "/template.so", "template.so");
  const std::string metadata = folder.Write("m.json", R"({"intervalMs": 5})");
  test::Process process({KPS_CONNECTOR, "plugin", "run", plugin, "--ingress", "--watch", "--stream", metadata}, {});
  ASSERT_TRUE(process.WaitForOutput("hello 3")) << process.err();
  // The same code under another build id, which is another file.
  std::string content = Content(plugin);
  content += "of another content";
  folder.Write("next", content);
  std::filesystem::rename(folder.path() / "next", plugin);
  ASSERT_TRUE(process.WaitForOutput("EVENT status pluginSwapped")) << process.err();
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_THAT(process.err(), HasSubstr("1 stream moved"));
}

TEST(RunTest, APluginThatHangsWhileItIsLoadedIsGivenUp) {
  const Ran ran = RunTool({"run", Broken("hangs_in_static_constructor")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, testing::HasSubstr("did not come to an end within 10 s while it was loaded"));
}

TEST(RunTest, AClosedStdinIsAnEmptyOne) {
  test::Process process({"/bin/sh", "-c", "exec \"$0\" plugin run generator --egress <&-", KPS_CONNECTOR}, {});
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_THAT(process.err(), testing::HasSubstr("0 messages"));
}

TEST(RunTest, AStreamMayStandOnTheCommandLine) {
  const Ran ran =
      RunTool({"run", "generator", "--ingress", "--count", "2", "--stream", R"({"count": 2, "sizeBytes": 20})"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.err, testing::HasSubstr("2 messages, 40 bytes"));
  const Ran wrong = RunTool({"run", "generator", "--stream", "{\"count\": }"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, testing::HasSubstr("--stream:1:"));
  const Ran config = RunTool({"run", "generator", "--config", "{"});
  EXPECT_EQ(config.exit_code, 1);
  EXPECT_THAT(config.err, testing::HasSubstr("--config:1:2: "));
}

TEST(RunTest, JsonThatIsNoObjectIsNotTakenForAFile) {
  const Ran number = RunTool({"run", "generator", "--stream", "[1]"});
  EXPECT_EQ(number.exit_code, 1);
  EXPECT_THAT(number.err, testing::StartsWith("--stream:1:2: "));
  EXPECT_THAT(number.err, testing::Not(testing::HasSubstr("No such file")));
  // A file may have such a name.
  const TempFolder folder;
  folder.Write("[1]", R"({"count": 2, "sizeBytes": 20})");
  test::Process process(
      {"/bin/sh", "-c", "cd \"$1\" && exec \"$0\" plugin run generator --ingress --count 2 --stream '[1]'",
       KPS_CONNECTOR, folder.path().string()},
      {});
  EXPECT_EQ(process.Wait(), 0) << process.err();
}

}  // namespace
}  // namespace kps::cli
