#include "tests/bench/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace kps::bench {

Child::Child(std::string name, const std::function<void()>& body) : name_(std::move(name)) {
  std::fflush(nullptr);  // or both processes print what is buffered
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  try {
    body();
  } catch (const std::exception& error) {
    std::strncpy(failure_->text, error.what(), sizeof failure_->text - 1);
    ::_exit(1);
  }
  ::_exit(0);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::Wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFSIGNALED(status)) return name_ + ": died of signal " + std::to_string(WTERMSIG(status));
  return name_ + ": " + failure_->text;
}

}  // namespace kps::bench
