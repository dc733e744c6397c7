// What the host tells about itself while it runs: /metrics, /livez and /readyz over HTTP, and two counters at a
// Pushgateway.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "host/app/options.h"
#include "host/core/host_metrics.h"
#include "host/metrics/http_server.h"
#include "host/metrics/pushgateway.h"

namespace kps {

class Telemetry {
 public:
  // Starts what the options ask for. All pointers outlive the object. Errors:
  // INVALID_ARGUMENT: an address is none. UNAVAILABLE: --metrics-listen was given and cannot be listened on; where the
  // default address cannot, another host of this machine has it most likely, and a warning says so.
  static Result<std::unique_ptr<Telemetry>> Start(const HostOptions& options, const Transport* transport,
                                                  const Runtime* runtime, const PluginControl* plugin,
                                                  Logger* logger);

  // Not ready before kServing and from kStopping on, whatever the transport says. Any thread.
  enum class Phase { kStarting, kServing, kStopping };
  void Enter(Phase phase) { phase_ = phase; }

 private:
  Telemetry(HostMetrics metrics, const Transport* transport);
  std::string WhyNotReady() const;

  const HostMetrics metrics_;
  const TransportErrorCounters error_counters_;
  const Transport* const transport_;
  std::atomic<Phase> phase_{Phase::kStarting};
  // Last, because their threads use the others.
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Pushgateway> pushgateway_;
};

}  // namespace kps
