// A host as the platform runs it: probed, scraped, and pushing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tests/metrics/http_get.h"
#include "tests/metrics/pushgateway_process.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"
#include "tests/support/process.h"

namespace kps::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kExitUsage = 1;
constexpr int kExitListen = 3;

std::vector<std::string> With(std::vector<std::string> first, const std::vector<std::string>& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

class Host {
 public:
  explicit Host(const std::vector<std::string>& arguments, std::vector<std::string> environment = {})
      : process_(With({KPS_HOST, "--plugin", "generator", "--plugin-path", KPS_PLUGINS, "--listen", "127.0.0.1:0"},
                      arguments),
                 std::move(environment)) {}

  bool WaitUntilListening() { return process_.WaitForOutput("listening on "); }
  // Where the log says that metrics are served, with a path behind it.
  std::string Url(const std::string& path) {
    process_.ReadAvailable();
    const std::string before = "metrics and health on ";
    const std::size_t begin = process_.err().find(before);
    if (begin == std::string::npos) return "";
    const std::size_t end = process_.err().find('\n', begin);
    return process_.err().substr(begin + before.size(), end - begin - before.size()) + path;
  }
  HttpAnswer Get(const std::string& path) { return HttpGet(Url(path)); }
  int Stop() {
    process_.Signal(SIGTERM);
    return process_.Wait();
  }
  Process& process() { return process_; }

 private:
  Process process_;
};

// What stands behind `series` in its line; -1: there is none.
double Value(const std::string& metrics, const std::string& series) {
  const std::size_t at = ("\n" + metrics).find("\n" + series);
  return at == std::string::npos ? -1 : std::stod(metrics.substr(at + series.size()));
}

const std::vector<std::string> kAnyPort{"--metrics-listen", "127.0.0.1:0"};

std::string Endless(const std::string& channel) {
  return R"({"payloads":[{"stream":{"id":"in","direction":"STREAM_DIRECTION_INGRESS","transportChannel":")" + channel +
         R"(","metadata":{"sizeBytes":1000}}}]})";
}

class HostTelemetry : public testing::Test {
 protected:
  // A payload file, gone with the test.
  std::string Write(const std::string& content) {
    std::string path = testing::TempDir() + "kps-telemetry-XXXXXX";
    const int fd = mkstemp(path.data());
    EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    close(fd);
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& file : files_) unlink(file.c_str());
  }

 private:
  std::vector<std::string> files_;
};

TEST_F(HostTelemetry, ServesMetricsAndHealthAtTheAddressThatItsLogNames) {
  Host host(With(kAnyPort, {"--connectorInstanceID", "c-1", "--payloads", Write(Endless("c"))}));
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_TRUE(Eventually([&] { return host.Get("/readyz").status == 200; }));
  EXPECT_EQ(host.Get("/livez").status, 200);
  ASSERT_TRUE(Eventually(
      [&] { return host.Get("/metrics").body.find("direction=\"ingress\",channel=\"c\"} 1\n") != std::string::npos; }));
  EXPECT_THAT(host.Get("/metrics").body,
              AllOf(HasSubstr("connector=\"c-1\",plugin=\"generator\""), HasSubstr("\nkps_transport_connected 1\n"),
                    HasSubstr("\nkps_transport_connect_errors_total 0\n")));
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, HasItsFamiliesInTheReadme) {
  std::ifstream file(KPS_README);
  const std::string readme(std::istreambuf_iterator<char>(file), {});
  Host host(kAnyPort);
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  std::istringstream lines(host.Get("/metrics").body);
  int families = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_THAT(readme, HasSubstr("| `" + name + "` |"));
    ++families;
  }
  EXPECT_GE(families, 6);
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, TakesTheAddressFromTheEnvironment) {
  Host host({}, {"KPS_METRICS_LISTEN=127.0.0.1:0"});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_EQ(host.Get("/livez").status, 200);
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, IsServedNowhereWhenItIsOff) {
  for (const auto& [arguments, environment] :
       std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>>{{{"--metrics-listen", "off"}, {}},
                                                                                  {{"--metrics-listen", ""}, {}},
                                                                                  {{}, {"KPS_METRICS_LISTEN=off"}},
                                                                                  {{}, {"KPS_METRICS_LISTEN="}}}) {
    Host host(arguments, environment);
    ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
    EXPECT_EQ(host.Stop(), 0);
    EXPECT_THAT(host.process().err(), Not(HasSubstr("metrics")));
  }
}

TEST_F(HostTelemetry, AnAddressThatWasGivenHasToBeFree) {
  const SilentPort taken;
  Host host({"--metrics-listen", "127.0.0.1:" + std::to_string(taken.port())});
  EXPECT_EQ(host.process().Wait(), kExitListen);
  EXPECT_THAT(host.process().err(),
              AllOf(HasSubstr("ERROR cannot serve metrics on 127.0.0.1:" + std::to_string(taken.port())),
                    HasSubstr("Address already in use"), HasSubstr("--metrics-listen")));
}

TEST_F(HostTelemetry, TheDefaultAddressMayBeAnotherHosts) {
  const SilentPort taken(9090);  // or somebody else has it already, which is as good
  Host host({});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_THAT(host.process().err(), HasSubstr("WARN  cannot serve metrics on 127.0.0.1:9090: "));
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, WrongAddressesAreWrongOptions) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--metrics-listen", "9090"}, {"--metrics-listen", "off", "--push-gateway", "ftp://a:1"}}) {
    Host host(arguments);
    EXPECT_EQ(host.process().Wait(), kExitUsage);
    EXPECT_THAT(host.process().err(), HasSubstr("\"" + arguments.back() + "\" is no address"));
  }
}

TEST_F(HostTelemetry, IsNotReadyWhileTheBrokerIsAwayAndReadyWhenItIsBack) {
  NatsServer broker;
  Host host(With(kAnyPort, {"--transport", broker.url()}));
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  ASSERT_TRUE(Eventually([&] { return host.Get("/readyz").status == 200; }));

  broker.Stop();
  EXPECT_TRUE(Eventually([&] { return host.Get("/readyz").status == 503; }, std::chrono::seconds(1)));
  EXPECT_THAT(host.Get("/readyz").body, HasSubstr("not ready: the transport is not connected: "));
  EXPECT_THAT(host.Get("/metrics").body, HasSubstr("\nkps_transport_connected 0\n"));
  EXPECT_EQ(host.Get("/livez").status, 200);

  broker.Start();
  ASSERT_TRUE(Eventually([&] { return host.Get("/readyz").status == 200; }));
  EXPECT_THAT(host.Get("/metrics").body,
              AllOf(HasSubstr("\nkps_transport_connected 1\n"), HasSubstr("\nkps_transport_reconnects_total 1\n")));
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, IsNotReadyBeforeTheBrokerHasEverBeenThere) {
  NatsServer broker;
  broker.Stop();
  Host host(With(kAnyPort, {"--transport", broker.url()}));
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_EQ(host.Get("/readyz").status, 503);
  EXPECT_EQ(host.Get("/livez").status, 200);
  broker.Start();
  EXPECT_TRUE(Eventually([&] { return host.Get("/readyz").status == 200; }));
  EXPECT_EQ(host.Stop(), 0);
}

TEST_F(HostTelemetry, IsNotReadyButAliveWhileItDrains) {
  NatsServer broker;
  Host host(With(kAnyPort, {"--transport", broker.url(), "--payloads", Write(Endless("kps.telemetry"))}));
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  ASSERT_TRUE(Eventually(
      [&] { return host.Get("/metrics").body.find("channel=\"kps.telemetry\"} 1\n") != std::string::npos; }));
  broker.Pause();  // what is on its way is not confirmed, and the drain waits for that
  host.process().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return host.Get("/readyz").body == "not ready: the host is stopping\n"; }));
  EXPECT_EQ(host.Get("/livez").status, 200);
  broker.Resume();
  EXPECT_EQ(host.process().Wait(), 0);
}

TEST_F(HostTelemetry, PushesTheCountersOfTheTemplateAtTheStartAndAtTheEnd) {
  NatsServer broker;
  broker.Stop();
  PushgatewayProcess gateway;
  Host host(With(kAnyPort, {"--transport", broker.url()}), {"PUSH_GW=" + gateway.address()});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  const std::string labels = "{instance=\"\",job=\"connector_transport_metrics_job\"} ";
  EXPECT_TRUE(Eventually([&] { return Value(gateway.Metrics(), "transport_publish_errors" + labels) == 0; }));
  const double before = Value(gateway.Metrics(), "transport_connect_errors" + labels);
  EXPECT_THAT(gateway.Metrics(), AllOf(HasSubstr("# TYPE transport_connect_errors counter\n"),
                                       HasSubstr("# TYPE transport_publish_errors counter\n")));
  double errors = 0;
  ASSERT_TRUE(Eventually([&] {
    errors = Value(host.Get("/metrics").body, "kps_transport_connect_errors_total ");
    return errors > before;
  }));
  EXPECT_EQ(host.Stop(), 0);
  EXPECT_GE(Value(gateway.Metrics(), "transport_connect_errors" + labels), errors);
}

TEST_F(HostTelemetry, RunsAndStopsWhenThePushgatewayHangs) {
  const SilentPort gateway;
  Host host({"--metrics-listen", "off", "--push-gateway", "127.0.0.1:" + std::to_string(gateway.port())});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(host.Stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  EXPECT_THAT(host.process().err(), HasSubstr("WARN  Pushgateway http://127.0.0.1:"));
}

}  // namespace
}  // namespace kps::test
