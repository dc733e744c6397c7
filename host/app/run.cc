#include "host/app/run.h"

#include <kps/version.h>

#include <chrono>
#include <csignal>
#include <memory>

#include "host/app/telemetry.h"
#include "host/core/runtime.h"
#include "host/grpc/payload_file.h"
#include "host/grpc/server.h"
#include "host/plugin/find.h"
#include "host/plugin/load.h"
#include "host/transport/make_transport.h"

namespace kps {
namespace {

// Calls under way may end within this, before the streams are stopped.
constexpr std::chrono::milliseconds kCallGrace{1000};

class SystemClock : public Clock {
 public:
  std::int64_t NowNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

sigset_t BlockStopSignals() {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of that write
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<std::unique_ptr<Plugin>> ChoosePlugin(const HostOptions& options) {
  if (options.plugin.empty()) {
    return Error(Code::kInvalidArgument,
                 "no plugin was chosen: name one with --plugin or KPS_PLUGIN. " + DescribePlugins(options.plugin_path));
  }
  auto path = FindPlugin(options.plugin, options.plugin_path);
  if (!path.ok()) return path.error();
  return LoadPlugin(path.value());
}

int Fail(Logger* logger, int exit_code, const std::string& text) {
  logger->Log(LogLevel::kError, "", text);
  return exit_code;
}

}  // namespace

int Run(const HostOptions& options, Logger* logger) {
  const sigset_t signals = BlockStopSignals();
  SystemClock clock;

  auto plugin = ChoosePlugin(options);
  if (!plugin.ok()) return Fail(logger, kExitPlugin, plugin.error().message());
  const PluginDescriptor& descriptor = plugin.value()->descriptor();
  logger->Log(LogLevel::kInfo, "", "plugin " + descriptor.name + " " + descriptor.version + " loaded");

  if (options.transport.empty()) {
    logger->Log(LogLevel::kInfo, "",
                "no --transport and no NATS_BROKER: streams are connected in memory, within this process");
  }
  auto transport =
      MakeTransport(options.transport.empty() ? "memory:" : options.transport, options.client_name, logger);
  if (!transport.ok()) return Fail(logger, kExitUsage, transport.error().message());

  auto runtime = Runtime::Create({options.connector_id, options.static_json},
                                 {plugin.value().get(), transport.value().get(), logger, &clock});
  if (!runtime.ok()) return Fail(logger, kExitPlugin, runtime.error().message());

  // Destroyed first, after the drain: what it tells last is how that went.
  auto telemetry = Telemetry::Start(options, &descriptor, transport.value().get(), runtime.value().get(), logger);
  if (!telemetry.ok()) {
    const bool usage = telemetry.error().code() == Code::kInvalidArgument;
    return Fail(logger, usage ? kExitUsage : kExitListen, telemetry.error().message());
  }

  if (!options.payloads.empty()) {
    auto command = ReadPayloadFile(options.payloads, options.connector_id);
    if (!command.ok()) return Fail(logger, kExitUsage, command.error().message());
    const auto outcome = runtime.value()->SetPayload(command.value());
    for (const Violation& violation : outcome.violations) {
      logger->Log(LogLevel::kError, "", options.payloads + ": " + violation.field + ' ' + violation.description);
    }
    if (!outcome.error.ok()) return Fail(logger, kExitUsage, options.payloads + " is refused: nothing was started");
  }

  auto server = Server::Start(options.listen, {runtime.value().get(), transport.value().get()});
  if (!server.ok()) return Fail(logger, kExitListen, server.error().message());
  logger->Log(LogLevel::kInfo, "", "listening on " + server.value()->address());
  telemetry.value()->Enter(Telemetry::Phase::kServing);

  int signal = 0;
  sigwait(&signals, &signal);
  logger->Log(LogLevel::kInfo, "", std::string(signal == SIGINT ? "SIGINT" : "SIGTERM") + ": stopping");
  telemetry.value()->Enter(Telemetry::Phase::kStopping);
  server.value()->Shutdown(kCallGrace);
  runtime.value()->Shutdown();
  telemetry.value().reset();
  logger->Log(LogLevel::kInfo, "", "stopped");
  return kExitStopped;
}

}  // namespace kps
