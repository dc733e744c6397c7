// The families that the host exports.
#include "host/core/host_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/core/fake_plugin.h"
#include "tests/core/fake_transport.h"
#include "tests/support/eventually.h"

namespace kps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const MetricFamily* Find(const std::vector<MetricFamily>& families, const std::string& name) {
  for (const MetricFamily& family : families) {
    if (family.name == name) return &family;
  }
  ADD_FAILURE() << "there is no family " << name;
  return nullptr;
}

std::string Describe(const MetricFamily& family) {
  std::string text = family.name + (family.type == MetricType::kCounter ? " counter" : " gauge");
  for (const MetricSample& sample : family.samples) {
    text += " {";
    for (const auto& [name, value] : sample.labels) text += name + "=" + value + " ";
    text += "}" + std::to_string(static_cast<int>(sample.value));
  }
  return text;
}

std::vector<std::string> Describe(const std::vector<MetricFamily>& families) {
  std::vector<std::string> texts;
  for (const MetricFamily& family : families) texts.push_back(Describe(family));
  return texts;
}

TEST(PluginFamilies, ShowsWhatThePluginReportsForStreamsAndForTheConnector) {
  Metrics metrics;
  for (const char* stream : {"a", "b"}) metrics.AddStream(stream);
  metrics.CounterAdd("a", "received_total", 3);
  metrics.CounterAdd("b", "received_total", 4);
  metrics.CounterAdd("", "reads", 5);
  metrics.GaugeSet("a", "missing", 6);
  EXPECT_THAT(
      Describe(PluginFamilies(metrics)),
      ElementsAre("kps_plugin_reads_total counter {}5", "kps_plugin_received_total counter {stream=a }3 {stream=b }4",
                  "kps_plugin_missing gauge {stream=a }6"));
  metrics.RemoveStream("a");
  metrics.CounterAdd("a", "received_total", 1);
  metrics.GaugeSet("a", "missing", 1);
  EXPECT_THAT(Describe(PluginFamilies(metrics)),
              ElementsAre("kps_plugin_reads_total counter {}5", "kps_plugin_received_total counter {stream=b }4"));
}

// One name with two types, or one set of labels twice, and Prometheus refuses everything.
TEST(PluginFamilies, StaySoundWhenAPluginReportsOneNameInSeveralWays) {
  Metrics metrics;
  metrics.AddStream("a");
  metrics.CounterAdd("a", "x", 1);
  metrics.CounterAdd("a", "x_total", 2);
  metrics.GaugeSet("a", "x_total", 9);
  metrics.GaugeSet("a", "x", 7);
  EXPECT_THAT(Describe(PluginFamilies(metrics)),
              ElementsAre("kps_plugin_x_total counter {stream=a }3", "kps_plugin_x gauge {stream=a }7"));
}

class FakePluginControl : public PluginControl {
 public:
  PluginStatus Status() const override {
    PluginStatus status;
    status.name = "fake";
    status.version = "1.0.0";
    status.generation = 3;
    status.resident = 2;
    status.swaps = 5;
    status.failures = 6;
    return status;
  }
  Result<std::string> Reload() override { return std::string(); }
};

class CountingTransport : public test::FakeTransport {
 public:
  using FakeTransport::FakeTransport;
  bool Connected() const override { return connected; }
  TransportCounters Counters() const override { return {2, 3, 4}; }
  std::atomic<bool> connected{true};
};

TEST(HostMetrics, ShowTheTransportThePluginAndTheStreams) {
  test::World world;
  test::FakePlugin plugin(&world);
  CountingTransport transport(&world);
  test::FakeLogger logger(&world);
  test::FakeClock clock;
  world.create_error.emplace("broken", Error(Code::kPermissionDenied, "no"));
  plugin.mutable_descriptor()->discovers = true;
  world.discover = [](int) -> Result<Discovered> {
    ADD_FAILURE() << "metrics are about the desired streams: the plugin is not asked for others";
    return Discovered();
  };
  auto runtime = Runtime::Create({}, {NotOwned(&plugin), &transport, &logger, &clock});
  ASSERT_TRUE(runtime.ok());
  ASSERT_TRUE(runtime.value()->SetPayload({"", {StreamSpec{"broken", Direction::kIngress, "c", "{}"}}}).error.ok());
  ASSERT_TRUE(test::Eventually([&] { return world.Do([&] { return world.created.size(); }) == 1; }));
  ASSERT_TRUE(runtime.value()
                  ->SetPayload({"",
                                {StreamSpec{"broken", Direction::kIngress, "c", "{}"},
                                 StreamSpec{"out", Direction::kEgress, "d", "{}"}}})
                  .error.ok());
  const FakePluginControl control;
  const HostMetrics metrics({"1.2.3", "me"}, &transport, runtime.value().get(), &control);
  const std::string running =
      "kps_stream_running gauge {stream=broken direction=ingress channel=c }0 "
      "{stream=out direction=egress channel=d }1";
  EXPECT_TRUE(test::Eventually([&] { return Describe(*Find(metrics.Collect(), "kps_stream_running")) == running; }));
  std::vector<MetricFamily> families = metrics.Collect();
  EXPECT_TRUE(Find(families, "kps_stream_accepted_total") != nullptr);
  std::erase_if(families, [&](const MetricFamily& family) {  // those of the ledger: ledger_test.cc
    return family.name.starts_with("kps_stream_") && family.name != "kps_stream_running";
  });
  EXPECT_THAT(Describe(families),
              ElementsAre("kps_host_info gauge {version=1.2.3 connector=me plugin=fake plugin_version=1.0.0 }1",
                          "kps_host_plugin_generation gauge {}3", "kps_host_plugin_resident gauge {}2",
                          "kps_host_plugin_swaps_total counter {result=swapped }5 {result=failed }6",
                          "kps_transport_connected gauge {}1", "kps_transport_connect_errors_total counter {}2",
                          "kps_transport_publish_errors_total counter {}3",
                          "kps_transport_reconnects_total counter {}4", running));
  transport.connected = false;
  EXPECT_EQ(Describe(*Find(metrics.Collect(), "kps_transport_connected")), "kps_transport_connected gauge {}0");
  for (const MetricFamily& family : metrics.Collect()) EXPECT_THAT(family.help, Not(IsEmpty())) << family.name;
}

TEST(TransportErrorCounters, HaveTheNamesOfTheTemplate) {
  test::World world;
  const CountingTransport transport(&world);
  EXPECT_THAT(Describe(TransportErrorCounters(&transport).Collect()),
              ElementsAre("transport_connect_errors counter {}2", "transport_publish_errors counter {}3"));
}

}  // namespace
}  // namespace kps
