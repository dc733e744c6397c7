#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace kps::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kDeadline{30};
// The child is instrumented as this program is, and to be judged by the same rules.
constexpr const char* kSanitizerOptions[] = {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};

int LeftMs(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void ReadInto(int* fd, std::string* text) {
  char buffer[4096];
  const ssize_t count = read(*fd, buffer, sizeof buffer);
  if (count > 0) {
    text->append(buffer, static_cast<std::size_t>(count));
  } else {
    close(*fd);
    *fd = -1;  // poll() passes over it
  }
}

}  // namespace

Process::Process(std::vector<std::string> arguments, std::vector<std::string> environment) {
  for (const char* name : kSanitizerOptions) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + '=' + value);
  }
  int out[2];
  int err[2];
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  EXPECT_EQ(posix_spawn(&pid_, arguments[0].c_str(), &actions, nullptr, Pointers(arguments).data(),
                        Pointers(environment).data()),
            0);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) close(out_fd_);
  if (err_fd_ >= 0) close(err_fd_);
}

bool Process::ReadSome(int timeout_ms) {
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  pollfd fds[] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
  if (poll(fds, 2, timeout_ms) <= 0) return timeout_ms > 0;
  if (fds[0].revents != 0) ReadInto(&out_fd_, &out_);
  if (fds[1].revents != 0) ReadInto(&err_fd_, &err_);
  return true;
}

bool Process::WaitForOutput(const std::string& text) {
  const auto deadline = Clock::now() + kDeadline;
  const auto found = [&] { return out_.find(text) != std::string::npos || err_.find(text) != std::string::npos; };
  while (!found() && ReadSome(LeftMs(deadline))) {
  }
  return found();
}

void Process::ReadAvailable() {
  while (ReadSome(0)) {
  }
}

void Process::Signal(int number) const { kill(pid_, number); }

int Process::Wait() {
  const auto deadline = Clock::now() + kDeadline;
  while (ReadSome(LeftMs(deadline))) {
  }
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{pid_fd, POLLIN, 0};
  const bool in_time = pid_fd >= 0 && poll(&ended, 1, LeftMs(deadline)) == 1;
  if (pid_fd >= 0) close(pid_fd);
  if (!in_time) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace kps::test
