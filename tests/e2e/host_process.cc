#include "tests/e2e/host_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace kps::test {
namespace {

std::vector<std::string> With(std::vector<std::string> first, std::vector<std::string> rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

TempFolder::TempFolder() {
  char pattern[] = "/tmp/kps-e2e-XXXXXX";
  path_ = mkdtemp(pattern);
}

TempFolder::~TempFolder() { std::filesystem::remove_all(path_); }

std::string TempFolder::Write(const std::string& name, const std::string& content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
  return path_ / name;
}

std::string StreamJson(const std::string& id, const std::string& direction, const std::string& channel,
                       const std::string& metadata) {
  return R"({"stream":{"id":")" + id + R"(","direction":"STREAM_DIRECTION_)" + direction + R"(","transportChannel":")" +
         channel + R"(","metadata":)" + metadata + "}}";
}

std::string PayloadsJson(const std::vector<std::string>& streams) {
  std::string json;
  for (const std::string& stream : streams) json += (json.empty() ? "" : ",\n") + stream;
  return "{\"payloads\":[" + json + "]}";
}

HostProcess::HostProcess(std::vector<std::string> arguments, std::vector<std::string> environment)
    : process_(With({KPS_HOST, "--listen", "127.0.0.1:0"}, std::move(arguments)),
               With({"KPS_METRICS_LISTEN=off"}, std::move(environment))) {}

bool HostProcess::WaitUntilListening() {
  static const std::string kListening = "listening on ";
  if (!process_.WaitForOutput(kListening)) return false;
  // The port may be in the next piece of the output.
  std::size_t end = std::string::npos;
  const std::size_t begin = process_.err().find(kListening) + kListening.size();
  while (end == std::string::npos) {
    process_.ReadAvailable();
    end = process_.err().find_first_of("\"\n", begin);
  }
  address_ = process_.err().substr(begin, end - begin);
  return true;
}

std::string HostProcess::Client(std::vector<std::string> arguments) {
  Process client(With({KPS_CONNECTOR, "--address", address_}, std::move(arguments)), {});
  if (client.Wait() == 0) return client.out();
  ADD_FAILURE() << client.err();
  return "";
}

bool HostProcess::WaitForClient(const std::vector<std::string>& arguments,
                                const std::function<bool(const std::string&)>& reached, std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::string out;
  while (std::chrono::steady_clock::now() < end) {
    process_.ReadAvailable();
    out = Client(arguments);
    if (reached(out)) return true;
    if (testing::Test::HasFailure()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ADD_FAILURE() << "the client said last:\n" << out << "\nthe host:\n" << process_.err();
  return false;
}

bool HostProcess::WaitForEvents(const std::string& text, std::chrono::seconds deadline) {
  return WaitForClient(
      {"events", "-o", "json"}, [&](const std::string& out) { return out.find(text) != std::string::npos; }, deadline);
}

bool HostProcess::WaitForRunning(std::size_t streams) {
  return WaitForClient({"streams", "get"}, [&](const std::string& out) { return Count(out, " running ") == streams; });
}

int HostProcess::Stop() {
  process_.Signal(SIGTERM);
  return process_.Wait();
}

}  // namespace kps::test
