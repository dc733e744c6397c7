#include "host/core/host_metrics.h"

#include <chrono>
#include <map>
#include <utility>

namespace kps {
namespace {

MetricFamily Single(MetricType type, std::string name, std::string help, double value, MetricLabels labels = {}) {
  return {std::move(name), std::move(help), type, {{std::move(labels), value, {}}}};
}

MetricFamily Counter(std::string name, std::string help, std::uint64_t value) {
  return Single(MetricType::kCounter, std::move(name), std::move(help), static_cast<double>(value));
}

MetricFamily Running(const Runtime& runtime) {
  MetricFamily family{"kps_stream_running",
                      "1: the stream carries messages. 0: it does not, and its events say why.",
                      MetricType::kGauge,
                      {}};
  for (const Runtime::StreamView& view : runtime.DesiredStreams()) {
    if (view.discovered) continue;
    const char* direction = view.stream.direction == Direction::kIngress ? "ingress" : "egress";
    family.samples.push_back({{{"stream", view.stream.id}, {"direction", direction}, {"channel", view.stream.channel}},
                              view.subscribed ? 1.0 : 0.0,
                              {}});
  }
  return family;
}

using ByStream = std::map<std::string, double>;  // an empty id: the connector

void AppendPluginFamily(std::string name, const char* help, MetricType type, const ByStream& values,
                        std::vector<MetricFamily>* families) {
  MetricFamily& family = families->emplace_back(MetricFamily{std::move(name), help, type, {}});
  for (const auto& [stream, value] : values) {
    family.samples.push_back({stream.empty() ? MetricLabels{} : MetricLabels{{"stream", stream}}, value, {}});
  }
}

std::string TotalName(const std::string& name) { return name.ends_with("_total") ? name : name + "_total"; }

}  // namespace

std::vector<MetricFamily> PluginFamilies(const Metrics& metrics) {
  const std::string prefix = "kps_plugin_";
  std::map<std::string, ByStream> counters;
  std::map<std::string, ByStream> gauges;
  // A plugin may count "x" and "x_total": they are one counter then.
  for (const auto& [key, value] : metrics.Counters()) {
    counters[prefix + TotalName(key.second)][key.first] += static_cast<double>(value);
  }
  for (const auto& [key, value] : metrics.Gauges()) {
    const std::string name = prefix + key.second;
    if (!counters.contains(name)) gauges[name][key.first] = value;
  }
  std::vector<MetricFamily> families;
  for (const auto& [name, values] : counters) {
    AppendPluginFamily(name, "A counter of the plugin.", MetricType::kCounter, values, &families);
  }
  for (const auto& [name, values] : gauges) {
    AppendPluginFamily(name, "A gauge of the plugin.", MetricType::kGauge, values, &families);
  }
  return families;
}

std::vector<MetricFamily> HostMetrics::Collect() const {
  const TransportCounters counters = transport_->Counters();
  const PluginStatus plugin = plugin_->Status();
  std::vector<MetricFamily> families;
  families.push_back(Single(MetricType::kGauge, "kps_host_info", "What runs here; always 1.", 1,
                            {{"version", about_.host_version},
                             {"connector", about_.connector_id},
                             {"plugin", plugin.name},
                             {"plugin_version", plugin.version}}));
  families.push_back(Single(MetricType::kGauge, "kps_host_plugin_generation",
                            "Which version of the plugin since the start runs; 1: the first.",
                            static_cast<double>(plugin.generation)));
  families.push_back(Single(MetricType::kGauge, "kps_host_plugin_resident",
                            "Versions of the plugin that are still mapped, the present one included.",
                            static_cast<double>(plugin.resident)));
  families.push_back(MetricFamily{"kps_host_plugin_swaps_total",
                                  "Files that took the place of the plugin's version before, or could not.",
                                  MetricType::kCounter,
                                  {{{{"result", "swapped"}}, static_cast<double>(plugin.swaps), {}},
                                   {{{"result", "failed"}}, static_cast<double>(plugin.failures), {}}}});
  families.push_back(Single(MetricType::kGauge, "kps_transport_connected", "1: the transport is connected.",
                            transport_->Connected() ? 1 : 0));
  families.push_back(Counter("kps_transport_connect_errors_total", "Attempts to connect to the transport that failed.",
                             counters.connect_errors));
  families.push_back(Counter("kps_transport_publish_errors_total", "Envelopes that the transport did not accept.",
                             counters.publish_errors));
  families.push_back(
      Counter("kps_transport_reconnects_total", "Connections after the first one.", counters.reconnects));
  families.push_back(Running(*runtime_));
  const std::int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  for (MetricFamily& family : runtime_->ledgers().Families(now_ns)) families.push_back(std::move(family));
  for (MetricFamily& family : PluginFamilies(runtime_->metrics())) families.push_back(std::move(family));
  return families;
}

std::vector<MetricFamily> TransportErrorCounters::Collect() const {
  const TransportCounters counters = transport_->Counters();
  // With the help texts of the template, too: a gateway complains when they differ between connectors.
  return {
      Counter("transport_connect_errors", "Number of NATS connect errors encountered", counters.connect_errors),
      Counter("transport_publish_errors", "Number of NATS messages that encountered errors", counters.publish_errors)};
}

}  // namespace kps
