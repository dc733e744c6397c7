// A plugin that crashes, hangs or ends the process does so in a child, of which nothing is left.
#include "host/plugin/preflight.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <string>

#include "host/plugin/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace kps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kLong{60'000};

std::string Broken(const std::string& name) { return std::string(KPS_BROKEN_PLUGINS "/") + name + ".so"; }

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

// Of any process: one whose parent has not asked for its end is no longer running, either.
bool IsRunning(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string content;
  std::getline(file, content);
  const std::size_t state = content.rfind(')');
  return state != std::string::npos && content.size() > state + 2 && content[state + 2] != 'Z';
}

class PreflightTest : public testing::Test {
 protected:
  PreflightTest() {
    char pattern[] = "/tmp/kps-preflight-XXXXXX";
    folder_ = mkdtemp(pattern);
    pids_ = folder_ / "pids";
  }
  ~PreflightTest() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    fs::remove_all(folder_);
  }

  static Error Try(const std::string& name, milliseconds timeout = kLong) {
    return Preflight(KPS_PREFLIGHT, {Broken(name), "{}", "{}"}, timeout, std::stop_token());
  }

  // Those that hangs_in_create has written, once it hangs.
  void WaitForPids() {
    ASSERT_TRUE(test::Eventually([&] { return fs::exists(pids_); }));
    std::ifstream(pids_) >> child_ >> grandchild_;
    ASSERT_GT(child_, 0);
    ASSERT_GT(grandchild_, 0);
  }

  fs::path folder_;
  fs::path pids_;
  pid_t child_ = 0;
  pid_t grandchild_ = 0;
  const std::size_t descriptors_ = OpenDescriptors();
};

TEST_F(PreflightTest, GoodPlugin) {
  const Error error = Try("good");
  EXPECT_TRUE(error.ok()) << error.ToString();
}

TEST_F(PreflightTest, PluginThatIsRefusedSaysWhatItSaysToTheHost) {
  EXPECT_EQ(Try("missing_symbol").code(), Code::kInvalidArgument);
  EXPECT_THAT(Try("missing_symbol").message(), HasSubstr("build it with kps_add_plugin()"));
  EXPECT_EQ(Try("not_there").code(), Code::kNotFound);
  EXPECT_THAT(Try("fails_create").ToString(),
              AllOf(HasSubstr("INVALID_ARGUMENT"),
                    HasSubstr("cannot create its connector: url: set it to the address of the broker")));
  EXPECT_THAT(Try("throws_in_create").message(), HasSubstr("threw an exception across the ABI: no such broker"));
}

TEST_F(PreflightTest, ExceptionInAStaticConstructor) {
  const Error error = Try("throws_in_static_constructor");
  EXPECT_EQ(error.code(), Code::kFailedPrecondition) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr(Broken("throws_in_static_constructor")));
  EXPECT_THAT(error.message(), HasSubstr("no static luck"));
}

TEST_F(PreflightTest, CrashInCreate) {
  const Error error = Try("crashes_in_create");
  EXPECT_EQ(error.code(), Code::kFailedPrecondition) << error.ToString();
  EXPECT_EQ(error.message(), Broken("crashes_in_create") +
                                 " crashed with SIGSEGV (segmentation fault) in create_connector, when it was tried in "
                                 "a child process; its last line was: about to crash");
}

TEST_F(PreflightTest, ExitInCreate) {
  const Error error = Try("exits_in_create");
  EXPECT_EQ(error.code(), Code::kFailedPrecondition) << error.ToString();
  EXPECT_EQ(error.message(), Broken("exits_in_create") +
                                 " exited with code 3 in create_connector, when it was tried in a child process: a "
                                 "plugin returns an error instead");
}

TEST_F(PreflightTest, HangInCreateEndsAtTheTimeout) {
  const Error error = Try("hangs_in_create", milliseconds(1000));
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr("did not come to an end within 1 s"));
  EXPECT_THAT(error.message(), HasSubstr("belongs into create_consumer and create_producer"));
}

TEST_F(PreflightTest, HangInAStaticConstructorEndsAtTheTimeout) {
  const Error error = Try("hangs_in_static_constructor", milliseconds(900));
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr("did not come to an end within 900 ms"));
}

TEST_F(PreflightTest, StopEndsTheChildAndWhatItHasStarted) {
  std::stop_source stop;
  auto running = std::async(std::launch::async, [&] {
    return Preflight(KPS_PREFLIGHT, {Broken("hangs_in_create"), pids_.string(), "{}"}, kLong, stop.get_token());
  });
  WaitForPids();
  stop.request_stop();
  const Error error = running.get();
  EXPECT_EQ(error.code(), Code::kCancelled) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr("was not finished in create_connector"));
  ASSERT_GT(child_, 0);
  EXPECT_EQ(kill(child_, 0), -1) << "it was reaped";
  EXPECT_TRUE(test::Eventually([this] { return !IsRunning(grandchild_); }));
}

TEST_F(PreflightTest, StoppedBeforeItBegan) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Preflight(KPS_PREFLIGHT, {Broken("good"), "{}", "{}"}, kLong, stop.get_token()).code(), Code::kCancelled);
}

TEST_F(PreflightTest, ChildEndsWithTheHost) {
  test::Process host({KPS_PREFLIGHT, Broken("hangs_in_create"), pids_.string(), "{}"}, {});
  ASSERT_NO_FATAL_FAILURE(WaitForPids());
  host.Signal(SIGKILL);
  EXPECT_TRUE(test::Eventually([this] { return !IsRunning(child_); }));
  kill(grandchild_, SIGKILL);  // there was nobody to do it
  host.Wait();
}

TEST_F(PreflightTest, WhatThePluginPrintsIsNotTheVerdict) {
  const Error error = Try("writes_to_stdout_in_create");
  EXPECT_TRUE(error.ok()) << error.ToString();
}

TEST_F(PreflightTest, ChildInheritsNothingOfTheHost) {
  const int inherited = fcntl(STDERR_FILENO, F_DUPFD, 50);  // NOLINT: on purpose without FD_CLOEXEC
  rlimit core{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &core), 0);
  const rlimit core_dumps{core.rlim_max, core.rlim_max};
  setrlimit(RLIMIT_CORE, &core_dumps);
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGINT);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = signal(SIGPIPE, SIG_IGN);
  // Larger than what a socket holds.
  const PreflightRequest request{Broken("tells_of_its_process"), std::string(3'000'000, 's'), "{\"secret\":1}"};
  const Error error = Preflight(KPS_PREFLIGHT, request, kLong, std::stop_token());
  signal(SIGPIPE, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  setrlimit(RLIMIT_CORE, &core);
  close(inherited);
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.retry_after(), milliseconds(1500));
  EXPECT_THAT(
      error.message(),
      HasSubstr("descriptors /dev/null /dev/null and 1 more; no signal blocked, SIGPIPE default; core dumps of 0; "
                "no secret argument; got 3000000 and 12 bytes"));
}

TEST_F(PreflightTest, ProgramThatDoesNotExist) {
  const Error error = Preflight("/nowhere/host", {Broken("good"), "{}", "{}"}, kLong, std::stop_token());
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("cannot start /nowhere/host"), EndsWith("No such file or directory")));
}

TEST_F(PreflightTest, ProgramThatIsNotTheHostSaysNothingAboutThePlugin) {
  // It does not read, either: more than a socket holds is on its way.
  const Error error =
      Preflight("/bin/true", {Broken("good"), std::string(3'000'000, ' '), "{}"}, kLong, std::stop_token());
  EXPECT_EQ(error.code(), Code::kUnavailable) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr("exited with code 0 before it was loaded"));
  EXPECT_THAT(error.message(), Not(HasSubstr("returns an error")));
}

TEST_F(PreflightTest, ProgramThatDoesNotReadIsEndedAllTheSame) {
  const fs::path program = folder_ / "program";
  for (const char* const line : {"exec <&-", "true"}) {
    std::ofstream(program) << "#!/bin/sh\n" << line << "\nkill -STOP $$\n";
    fs::permissions(program, fs::perms::owner_all);
    const Error error =
        Preflight(program, {Broken("good"), std::string(3'000'000, ' '), "{}"}, milliseconds(500), std::stop_token());
    EXPECT_EQ(error.code(), Code::kDeadlineExceeded) << line << ": " << error.ToString();
  }
}

TEST_F(PreflightTest, NoDescriptorIsLeft) {
  std::vector<int> taken;
  for (int fd = 0; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
  const Error error = Try("good");
  for (const int fd : taken) close(fd);
  EXPECT_EQ(error.code(), Code::kResourceExhausted) << error.ToString();
  EXPECT_THAT(error.message(), HasSubstr("Too many open files"));
}

TEST_F(PreflightTest, StartedByHandSaysWhatItIs) {
  test::Process process({KPS_PREFLIGHT, "--preflight"}, {});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_THAT(process.err(), HasSubstr("--preflight is how the host tries a plugin"));
}

TEST_F(PreflightTest, RequestThatIsNoneIsNotTried) {
  const auto end = RunChild({KPS_PREFLIGHT, "--preflight", "nonsense"}, kLong, std::stop_token(), [](ChildFrame) {});
  ASSERT_TRUE(end.ok()) << end.error().ToString();
  EXPECT_EQ(Describe(end.value()), "exited with code 2");
  EXPECT_THAT(end.value().last_line, HasSubstr("--preflight is how the host tries a plugin"));
}

TEST_F(PreflightTest, AnswerThatIsNoneIsNotOne) {
  const fs::path program = folder_ / "program";
  std::ofstream(program) << R"(#!/bin/sh
printf '\001\000\000\000\003\000\000\000bad' >&3
)";
  fs::permissions(program, fs::perms::owner_all);
  const Error error = Preflight(program, {Broken("good"), "{}", "{}"}, kLong, std::stop_token());
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("exited with code 0 before it was loaded"));
}

}  // namespace
}  // namespace kps
