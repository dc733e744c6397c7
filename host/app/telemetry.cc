#include "host/app/telemetry.h"

#include <kps/version.h>

#include <utility>

namespace kps {
namespace {

constexpr char kPushJob[] = "connector_transport_metrics_job";  // of the Go template

std::string HostVersion() {
  return std::to_string(KPS_VERSION_MAJOR) + '.' + std::to_string(KPS_VERSION_MINOR) + '.' +
         std::to_string(KPS_VERSION_PATCH);
}

}  // namespace

Telemetry::Telemetry(HostMetrics metrics, const Transport* transport)
    : metrics_(std::move(metrics)), error_counters_(transport), transport_(transport) {}

Result<std::unique_ptr<Telemetry>> Telemetry::Start(const HostOptions& options, const Transport* transport,
                                                    const Runtime* runtime, const PluginControl* plugin,
                                                    Logger* logger) {
  std::unique_ptr<Telemetry> telemetry(
      new Telemetry(HostMetrics({HostVersion(), options.connector_id}, transport, runtime, plugin), transport));
  Telemetry* const self = telemetry.get();
  if (!options.metrics_listen.empty()) {
    auto server = HttpServer::Start(options.metrics_listen, {&self->metrics_, [self] { return self->WhyNotReady(); }});
    if (server.ok()) {
      self->server_ = std::move(server.value());
      logger->Log(LogLevel::kInfo, "", "metrics and health on http://" + self->server_->address());
    } else if (options.metrics_listen_chosen) {
      return server.error();
    } else {
      logger->Log(LogLevel::kWarn, "", server.error().message() + ". There are no metrics and no health endpoints now");
    }
  }
  if (!options.push_gateway.empty()) {
    Pushgateway::Options push;
    push.address = options.push_gateway;
    push.job = kPushJob;
    auto pushgateway = Pushgateway::Start(std::move(push), &self->error_counters_, logger);
    if (!pushgateway.ok()) return pushgateway.error();
    self->pushgateway_ = std::move(pushgateway.value());
  }
  return telemetry;
}

std::string Telemetry::WhyNotReady() const {
  switch (phase_.load()) {
    case Phase::kStarting: return "the host is starting";
    case Phase::kStopping: return "the host is stopping";
    case Phase::kServing: break;
  }
  if (transport_->Connected()) return {};
  const std::string reason = transport_->DisconnectReason();
  return "the transport is not connected" + (reason.empty() ? "" : ": " + reason);
}

}  // namespace kps
