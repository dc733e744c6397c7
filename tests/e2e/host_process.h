// A host and a client as processes, and what the tests ask of them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace kps::test {

// A folder of this test alone.
class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();
  std::string Path(const std::string& name) const { return path_ / name; }
  std::string Write(const std::string& name, const std::string& content) const;  // its path

 private:
  std::filesystem::path path_;
};

// {"stream":...}: one of a payload file, or what the client's `streams set` takes. `direction`: INGRESS or EGRESS.
std::string StreamJson(const std::string& id, const std::string& direction, const std::string& channel,
                       const std::string& metadata = "{}");
std::string PayloadsJson(const std::vector<std::string>& streams);

// A host that listens on a port of its own.
class HostProcess {
 public:
  explicit HostProcess(std::vector<std::string> arguments, std::vector<std::string> environment = {});
  // False: it ended before, or said nothing in time.
  bool WaitUntilListening();
  // What the client prints to these arguments; "" when it failed.
  std::string Client(std::vector<std::string> arguments);
  // Asks the client again and again. False at the deadline.
  bool WaitForClient(const std::vector<std::string>& arguments, const std::function<bool(const std::string&)>& reached,
                     std::chrono::seconds deadline = std::chrono::seconds(20));
  bool WaitForEvents(const std::string& text, std::chrono::seconds deadline = std::chrono::seconds(20));
  bool WaitForRunning(std::size_t streams);
  // SIGTERM; the exit code.
  int Stop();

  Process& process() { return process_; }
  const std::string& address() const { return address_; }

 private:
  Process process_;
  std::string address_;
};

}  // namespace kps::test
