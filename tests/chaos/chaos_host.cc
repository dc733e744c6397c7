#include "tests/chaos/chaos_host.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "tests/metrics/http_get.h"
#include "tests/support/eventually.h"

namespace kps::chaos {

ChaosHost::ChaosHost(const test::NatsServer& broker, const std::string& plugin, const Delivery& delivery,
                     const std::string& state_dir) {
  std::vector<std::string> arguments{"--plugin",    plugin,    "--transport",      broker.url(),
                                     "--state-dir", state_dir, "--metrics-listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), delivery.arguments.begin(), delivery.arguments.end());
  process_ = std::make_unique<test::HostProcess>(arguments);
  EXPECT_TRUE(process_->WaitUntilListening()) << process_->process().err();
}

void ChaosHost::Kill() {
  process_->process().Signal(SIGKILL);
  EXPECT_EQ(process_->process().Wait(), -1);
}

int ChaosHost::Stop() { return process_->Stop(); }
void ChaosHost::Pause() { process_->process().Signal(SIGSTOP); }
void ChaosHost::Resume() { process_->process().Signal(SIGCONT); }

void ChaosHost::Set(const test::TempFolder& folder, const std::vector<std::string>& streams) {
  std::vector<std::string> arguments{"streams", "set"};
  for (const std::string& stream : streams) {
    arguments.push_back(folder.Write("stream-" + std::to_string(arguments.size()) + ".json", stream));
  }
  process_->Client(arguments);
}

std::string ChaosHost::Url(const std::string& path) {
  static const std::string kBefore = "metrics and health on ";
  test::Process& process = process_->process();
  if (!process.WaitForOutput(kBefore)) return "";
  const std::size_t begin = process.err().find(kBefore) + kBefore.size();
  const auto end = [&] { return process.err().find('\n', begin); };
  EXPECT_TRUE(test::Eventually([&] {
    process.ReadAvailable();
    return end() != std::string::npos;
  }));
  return process.err().substr(begin, end() - begin) + path;
}

bool ChaosHost::Ready() { return test::HttpGet(Url("/readyz")).status == 200; }

double ChaosHost::Metric(const std::string& name, const std::string& label) {
  std::istringstream lines(test::HttpGet(Url("/metrics")).body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_it = line.starts_with(name + '{') || line.starts_with(name + ' ');
    if (is_it && line.find(label) != std::string::npos) sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

bool ChaosHost::IsSettled() {
  const auto parts = [&] {
    double sum = 0;
    for (const char* part : {"delivered", "dead_lettered", "dropped", "returned"}) {
      sum += Metric(std::string("kps_stream_") + part + "_total");
    }
    return sum;
  };
  return test::Eventually(
      [&] { return Metric("kps_stream_in_flight") == 0 && Metric("kps_stream_accepted_total") == parts(); });
}

}  // namespace kps::chaos
