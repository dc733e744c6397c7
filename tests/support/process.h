// A child process whose output is read while it runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace kps::test {

class Process {
 public:
  // `arguments[0]` is the program; `environment` is all of it, as NAME=VALUE, but
  // for the options of sanitizers, which are this program's.
  Process(std::vector<std::string> arguments, std::vector<std::string> environment);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // kills what still runs

  // Reads on until the output has `text`; false at the deadline or the end of the output.
  bool WaitForOutput(const std::string& text);
  void ReadAvailable();  // without waiting: a full pipe would stop the process
  void Signal(int number) const;
  pid_t pid() const { return pid_; }
  // Reads to the end and waits. The exit code, or -1 at the deadline or for a death by signal.
  int Wait();

  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  bool ReadSome(int timeout_ms);  // false at the end of both

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
  std::string err_;
};

}  // namespace kps::test
