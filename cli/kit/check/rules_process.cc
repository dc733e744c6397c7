// process, unload: what a plugin does to the process that it is in.
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "cli/kit/check/subject.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;

struct ProcessState {
  std::map<int, void (*)(int)> handlers;
  std::set<int> blocked;
  std::string directory;
  std::string locale;
  mode_t mask = 0;
  std::set<std::string> environment;

  static ProcessState Now() {
    ProcessState state;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (int number = 1; number < NSIG; ++number) {
      struct sigaction action {};
      if (sigaction(number, nullptr, &action) == 0) state.handlers[number] = action.sa_handler;
      if (sigismember(&blocked, number) == 1) state.blocked.insert(number);
    }
    std::error_code ignored;
    state.directory = std::filesystem::current_path(ignored).string();
    const char* const locale = std::setlocale(LC_ALL, nullptr);
    state.locale = locale == nullptr ? "" : locale;
    state.mask = umask(0);
    umask(state.mask);
    for (char** variable = environ; *variable != nullptr; ++variable) state.environment.insert(*variable);
    return state;
  }
};

// What is written to stdout meanwhile.
class StdoutCounter {
 public:
  StdoutCounter() : file_(memfd_create("stdout", MFD_CLOEXEC)), before_(dup(STDOUT_FILENO)) {
    dup2(file_, STDOUT_FILENO);
  }
  StdoutCounter(const StdoutCounter&) = delete;
  StdoutCounter& operator=(const StdoutCounter&) = delete;
  ~StdoutCounter() {
    dup2(before_, STDOUT_FILENO);
    close(before_);
    close(file_);
  }
  off_t Bytes() const {
    std::fflush(stdout);
    struct stat status {};
    return fstat(file_, &status) == 0 ? status.st_size : 0;
  }

 private:
  const int file_;
  const int before_;
};

void RunEverythingOnce(Subject* subject) {
  TestedConnector connector(subject);
  std::size_t taken = 0;
  if (subject->has_ingress()) {
    TestedConsumer consumer(&connector, {subject->parameters().ingress_json});
    for (int i = 0; consumer.created().ok() && i < 5; ++i) (void)consumer.Next(milliseconds(20));
  }
  if (subject->has_egress()) {
    TestedProducer producer(&connector, {subject->parameters().egress_json});
    if (producer.created().ok()) (void)producer.Produce({"a message of plugin check"}, milliseconds(1000), &taken);
    if (taken > 0) (void)producer.Flush(milliseconds(1000));
  }
}

}  // namespace

void ExamineProcess(Subject& subject) {
  Findings& findings = subject.findings();
  const ProcessState before = ProcessState::Now();
  {
    const StdoutCounter written;
    RunEverythingOnce(&subject);
    if (const off_t bytes = written.Bytes(); bytes > 0) {
      findings.Fail("it wrote " + std::to_string(bytes) + " bytes to stdout: use the host's log");
    }
  }
  const ProcessState after = ProcessState::Now();
  for (const auto& [number, handler] : before.handlers) {
    if (after.handlers.at(number) == handler) continue;
    const char* const name = sigabbrev_np(number);
    findings.Fail("it changed what " +
                  (name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name) + " does");
  }
  if (after.blocked != before.blocked) findings.Fail("it changed which signals the host's thread has blocked");
  if (after.directory != before.directory) findings.Fail("it changed the current directory to " + after.directory);
  if (after.locale != before.locale) findings.Fail("it changed the locale to " + after.locale);
  if (after.mask != before.mask) findings.Fail("it changed the umask");
  if (after.environment != before.environment) findings.Fail("it changed the environment");
}

void ExamineUnload(Subject& subject) {
  if ((subject.table().flags & KPS_FLAG_NO_UNLOAD) != 0) {
    return subject.findings().Note("its table says that it cannot: a host keeps every version that was swapped");
  }
  try {
    RunEverythingOnce(&subject);
  } catch (const ExaminationEnded&) {
    // What it cannot do now, it has not done: it has to be unmapped all the same.
  }
  if (!subject.Unload()) {
    subject.findings().Fail("it stays mapped after dlclose; kps-connector plugin inspect says what may hold it");
  }
}

}  // namespace kps::cli
