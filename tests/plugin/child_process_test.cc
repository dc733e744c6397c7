// What a child process tells, and how it ends. preflight_test.cc has what it inherits and leaves behind.
#include "host/plugin/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace kps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr milliseconds kLong{60'000};

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcessTest() {
    char pattern[] = "/tmp/kps-child-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~ChildProcessTest() override { fs::remove_all(folder_); }

  Result<ChildEnd> Run(const ChildCommand& command, milliseconds timeout = kLong) {
    return RunChild(command, timeout, stop_.get_token(), [this](ChildFrame frame) {
      frames_.push_back(std::move(frame));
      if (frames_.size() == stop_at_) stop_.request_stop();
    });
  }
  ChildEnd RunScript(const std::string& lines, milliseconds timeout = kLong) {
    const fs::path script = folder_ / "script";
    std::ofstream(script) << "#!/bin/sh\n" << lines << "\n";
    fs::permissions(script, fs::perms::owner_all);
    const auto end = Run({script, "argument", ""}, timeout);
    return end.ok() ? end.value() : ChildEnd{.last_line = end.error().ToString()};
  }

  fs::path folder_;
  std::vector<ChildFrame> frames_;
  std::stop_source stop_;
  std::size_t stop_at_ = 0;  // frames; 0: never
};

TEST_F(ChildProcessTest, TellsManyThingsInOrderAndLongOnes) {
  const std::string request = std::string(5'000'000, 'r') + "end";
  const auto end = Run({KPS_PREFLIGHT, "--echo", request});
  ASSERT_TRUE(end.ok()) << end.error().ToString();
  EXPECT_EQ(Describe(end.value()), "exited with code 4");
  ASSERT_EQ(frames_.size(), 1001u);
  for (int i = 1; i <= 1000; ++i) {
    EXPECT_EQ(frames_[i - 1].code, i);
    EXPECT_EQ(frames_[i - 1].text, std::to_string(i));
  }
  EXPECT_EQ(frames_.back().code, 0);
  EXPECT_TRUE(frames_.back().text == request);
}

TEST_F(ChildProcessTest, FrameOfAChildThatEndsAtOnceIsNotLost) {
  EXPECT_EQ(Describe(RunScript(R"(printf '\005\000\000\000\003\000\000\000abc' >&3; exit 7)")), "exited with code 7");
  ASSERT_EQ(frames_.size(), 1u);
  EXPECT_EQ(frames_[0].code, 5);
  EXPECT_EQ(frames_[0].text, "abc");
}

TEST_F(ChildProcessTest, FrameThatIsCutIsNone) {
  RunScript(R"(printf '\005\000\000\000\004\000\000\000abc' >&3)");
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ChildProcessTest, WhatIsNoFrameIsNotListenedTo) {
  const ChildEnd end = RunScript("while echo nonsense >&3; do true; done");
  EXPECT_EQ(end.how, ChildEnd::How::kCrashed) << Describe(end);
  EXPECT_EQ(end.number, SIGPIPE);
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ChildProcessTest, StoppedByWhatItTold) {
  stop_at_ = 1;
  const ChildEnd end = RunScript(R"(printf '\001\000\000\000\000\000\000\000' >&3; kill -STOP $$)");
  EXPECT_EQ(end.how, ChildEnd::How::kStopped);
  EXPECT_EQ(Describe(end), "was stopped");
  EXPECT_EQ(frames_.size(), 1u);
}

TEST_F(ChildProcessTest, TimeoutKeepsTheLastLine) {
  const ChildEnd end = RunScript("echo first >&2; printf ' second\\t\\n\\n' >&2; kill -STOP $$", milliseconds(500));
  EXPECT_EQ(Describe(end), "did not end in time");
  EXPECT_EQ(end.last_line, "second");
}

TEST_F(ChildProcessTest, EndBySignal) {
  EXPECT_EQ(Describe(RunScript("kill -SEGV $$")), "crashed with SIGSEGV (segmentation fault)");
  EXPECT_EQ(Describe(RunScript("kill -XCPU $$")), "crashed with SIGXCPU (CPU time limit exceeded)");
  EXPECT_EQ(Describe(RunScript("kill -40 $$")), "crashed with signal 40");
}

TEST_F(ChildProcessTest, SomebodyElseTookItsEnd) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  const ChildEnd end = RunScript("exit 3");
  signal(SIGCHLD, before);
  EXPECT_EQ(end.how, ChildEnd::How::kUnknown);
  EXPECT_EQ(Describe(end), "ended for an unknown reason");
}

TEST_F(ChildProcessTest, ProgramThatIsNotThere) {
  const auto end = Run({folder_ / "nothing", "", ""});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), Code::kUnavailable);
  EXPECT_THAT(end.error().message(), AllOf(HasSubstr("cannot start " + folder_.string() + "/nothing as a child"),
                                           HasSubstr("No such file or directory")));
}

TEST_F(ChildProcessTest, ChildWithoutAParentSaysSo) {
  test::Process process({KPS_PREFLIGHT, "--echo"}, {});
  EXPECT_EQ(process.Wait(), 2);
}

}  // namespace
}  // namespace kps
