#include "tests/state/disk_calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>

#include "host/core/mutex.h"

namespace kps::test {
namespace {

Mutex mutex;
CondVar released;
bool listening = false;
std::vector<std::string> calls;
std::map<std::string, int> failures;
std::string held;

std::string NameOf(int fd) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored).filename().string();
}

// The error that the call is to have; 0: libc's own.
int Enter(const std::string& call) {
  MutexLock lock(mutex);
  if (!listening) return 0;
  calls.push_back(call);
  while (listening && held == call) released.Wait(mutex);
  const auto failure = failures.find(call);
  return failure == failures.end() ? 0 : failure->second;
}

int Make(const std::string& call, long number, long a, long b, long c, long d) {
  if (const int error = Enter(call); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(number, a, b, c, d));
}

}  // namespace

DiskCalls::DiskCalls() {
  MutexLock lock(mutex);
  listening = true;
}

DiskCalls::~DiskCalls() {
  MutexLock lock(mutex);
  listening = false;
  calls.clear();
  failures.clear();
  held.clear();
  released.NotifyAll();
}

std::vector<std::string> DiskCalls::made() const {
  MutexLock lock(mutex);
  return calls;
}

std::size_t DiskCalls::Count(const std::string& call) const {
  MutexLock lock(mutex);
  return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
}

void DiskCalls::Fail(const std::string& call, int number) {
  MutexLock lock(mutex);
  if (number == 0) {
    failures.erase(call);
  } else {
    failures[call] = number;
  }
}

void DiskCalls::Hold(const std::string& call) {
  MutexLock lock(mutex);
  held = call;
}

void DiskCalls::Release() {
  MutexLock lock(mutex);
  held.clear();
  released.NotifyAll();
}

}  // namespace kps::test

extern "C" {

int fsync(int fd) { return kps::test::Make("fsync " + kps::test::NameOf(fd), SYS_fsync, fd, 0, 0, 0); }

int flock(int fd, int operation) noexcept {
  return kps::test::Make("flock " + kps::test::NameOf(fd), SYS_flock, fd, operation, 0, 0);
}

int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
  return kps::test::Make(std::string("rename ") + from + ' ' + to, SYS_renameat, from_fd, reinterpret_cast<long>(from),
                         to_fd, reinterpret_cast<long>(to));
}

}  // extern "C"
