// The families that the host exports. Names are a promise to dashboards: add, never rename.
#pragma once

#include <string>
#include <vector>

#include "host/core/metric_family.h"
#include "host/core/plugin_control.h"
#include "host/core/runtime.h"
#include "host/core/transport.h"

namespace kps {

// Everything that is known about the host, its transport, its streams, and what the plugin reports.
class HostMetrics : public MetricsSource {
 public:
  struct About {
    std::string host_version;
    std::string connector_id;
  };
  // The pointers outlive the source.
  HostMetrics(About about, const Transport* transport, const Runtime* runtime, const PluginControl* plugin)
      : about_(std::move(about)), transport_(transport), runtime_(runtime), plugin_(plugin) {}
  std::vector<MetricFamily> Collect() const override;

 private:
  const About about_;
  const Transport* const transport_;
  const Runtime* const runtime_;
  const PluginControl* const plugin_;
};

// The two counters of a connector of the Go template, by their names there: what a Pushgateway gets from us.
class TransportErrorCounters : public MetricsSource {
 public:
  // `transport` outlives the source.
  explicit TransportErrorCounters(const Transport* transport) : transport_(transport) {}
  std::vector<MetricFamily> Collect() const override;

 private:
  const Transport* const transport_;
};

// The families of what a plugin reports: kps_plugin_<name>, counters with _total. A gauge that has the name of a
// counter is left out, because one name cannot have two types.
std::vector<MetricFamily> PluginFamilies(const Metrics& metrics);

}  // namespace kps
