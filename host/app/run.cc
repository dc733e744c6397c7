#include "host/app/run.h"

#include <kps/version.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <vector>

#include "host/app/stop.h"
#include "host/app/telemetry.h"
#include "host/core/runtime.h"
#include "host/grpc/payload_file.h"
#include "host/grpc/server.h"
#include "host/plugin/find.h"
#include "host/plugin/reloader.h"
#include "host/state/state_dir.h"
#include "host/transport/make_transport.h"

namespace kps {
namespace {

// Calls under way may end within this, before the streams are stopped.
constexpr std::chrono::milliseconds kCallGrace{1000};
// What a stop may take beyond the drain timeout, before the host ends without a plugin that does not come back.
constexpr std::chrono::milliseconds kStopGrace = PluginCalls::kGrace + std::chrono::milliseconds(1000);
constexpr std::chrono::milliseconds kFlushTimeout{1000};

class SystemClock : public Clock {
 public:
  std::int64_t NowNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of that write
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<std::unique_ptr<Reloader>> ChoosePlugin(const HostOptions& options, Logger* logger, const Clock* clock) {
  if (options.plugin.empty()) {
    return Error(Code::kInvalidArgument,
                 "no plugin was chosen: name one with --plugin or KPS_PLUGIN. " + DescribePlugins(options.plugin_path));
  }
  auto path = FindPlugin(options.plugin, options.plugin_path);
  if (!path.ok()) return path.error();
  return Reloader::Open({.file = path.value(),
                         .static_json = options.static_json,
                         .timeout = std::chrono::seconds(options.swap_timeout_s),
                         .watch = options.watch,
                         .no_unload = options.no_unload,
                         .trust = options.trust},
                        logger, clock);
}

// The store is there before the runtime, so what it says first is for the log alone.
class StateReport : public StateStoreListener {
 public:
  explicit StateReport(Logger* logger) : logger_(logger) {}
  void OnStateStore(const Error& error) override {
    MutexLock lock(mutex_);
    if (runtime_ != nullptr) return runtime_->ReportStateStore(error);
    if (!error.ok()) logger_->Log(LogLevel::kError, "", "the state cannot be saved: " + error.message());
  }

  // Between its construction and its end, alerts are raised.
  class Attached {
   public:
    Attached(StateReport* report, Runtime* runtime) : report_(report) { report_->Use(runtime); }
    ~Attached() { report_->Use(nullptr); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

   private:
    StateReport* const report_;
  };

 private:
  void Use(Runtime* runtime) {
    MutexLock lock(mutex_);
    runtime_ = runtime;
  }

  Logger* const logger_;
  Mutex mutex_;
  Runtime* runtime_ KPS_GUARDED_BY(mutex_) = nullptr;
};

// Before the runtime goes, however that comes about.
class StopAtEnd {
 public:
  explicit StopAtEnd(Reloader* reloader) : reloader_(reloader) {}
  ~StopAtEnd() { reloader_->Stop(); }
  StopAtEnd(const StopAtEnd&) = delete;
  StopAtEnd& operator=(const StopAtEnd&) = delete;

 private:
  Reloader* const reloader_;
};

int Fail(Logger* logger, int exit_code, const std::string& text) {
  logger->Log(LogLevel::kError, "", text);
  return exit_code;
}

// An address that is none is a wrong option.
int ListenExit(const Error& error) { return error.code() == Code::kInvalidArgument ? kExitUsage : kExitListen; }

// The signal that asks for a stop. Until it comes, looks after what only time shows.
int AwaitStop(const sigset_t& signals, Reloader* reloader, Runtime* runtime, Logger* logger) {
  constexpr timespec kLook{1, 0};
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &kLook);
    if (signal == SIGINT || signal == SIGTERM) return signal;
    if (signal == SIGHUP) {
      logger->Log(LogLevel::kInfo, "", "SIGHUP: loading the plugin's file");
      reloader->Request();
    }
    runtime->LogLastingCalls();
  }
}

// Its threads cannot be ended, so what they use cannot be either.
[[noreturn]] void EndWithout(const std::vector<PluginCall>& stuck, Logger* logger) {
  for (const PluginCall& call : stuck) logger->Log(LogLevel::kError, call.stream_id, Describe(call));
  logger->Log(LogLevel::kError, "", "stopped without the plugin, which does not come back: exit code 4");
  _exit(kExitStuck);
}

}  // namespace

int Run(const HostOptions& options, Logger* logger) {
  const sigset_t signals = BlockSignals();
  SystemClock clock;

  auto plugin = ChoosePlugin(options, logger, &clock);
  if (!plugin.ok()) return Fail(logger, kExitPlugin, plugin.error().message());
  Reloader* const reloader = plugin.value().get();
  const PluginStatus loaded = reloader->Status();
  logger->Log(LogLevel::kInfo, "", "plugin " + loaded.name + " " + loaded.version + " loaded");

  if (options.transport.empty()) {
    logger->Log(LogLevel::kInfo, "",
                "no --transport and no NATS_BROKER: streams are connected in memory, within this process");
  }
  auto transport = MakeTransport(options.transport.empty() ? "memory:" : options.transport, options.client_name, logger,
                                 options.jetstream);
  if (!transport.ok()) return Fail(logger, kExitUsage, transport.error().message());

  StateReport state_report(logger);
  std::unique_ptr<StateStore> state;
  if (!options.state_dir.empty()) {
    auto opened = OpenStateDir(options.state_dir, {.connector_id = options.connector_id}, &state_report);
    if (!opened.ok()) return Fail(logger, kExitUsage, "--state-dir: " + opened.error().message());
    state = std::move(opened.value());
  }

  auto runtime = Runtime::Create({.connector_id = options.connector_id,
                                  .static_json = options.static_json,
                                  .drain_timeout = std::chrono::seconds(options.drain_timeout_s),
                                  .policy = options.policy,
                                  .window = {.envelope_messages_max = options.batch_messages_max}},
                                 {reloader->TakeFirst(), transport.value().get(), logger, &clock, state.get()});
  if (!runtime.ok()) {
    const bool usage = runtime.error().code() == Code::kInvalidArgument;
    return Fail(logger, usage ? kExitUsage : kExitPlugin, runtime.error().message());
  }
  const StateReport::Attached attached(&state_report, runtime.value().get());

  // Destroyed first, after the drain: what it tells last is how that went.
  auto telemetry = Telemetry::Start(options, transport.value().get(), runtime.value().get(), reloader, logger);
  if (!telemetry.ok()) return Fail(logger, ListenExit(telemetry.error()), telemetry.error().message());

  if (!options.payloads.empty()) {
    auto command = ReadPayloadFile(options.payloads, options.connector_id);
    if (!command.ok()) return Fail(logger, kExitUsage, command.error().message());
    const auto outcome = runtime.value()->SetPayload(command.value());
    for (const Violation& violation : outcome.violations) {
      logger->Log(LogLevel::kError, "", options.payloads + ": " + violation.field + ' ' + violation.description);
    }
    if (!outcome.error.ok()) return Fail(logger, kExitUsage, options.payloads + " is refused: nothing was started");
  }

  reloader->Start(runtime.value().get());
  const StopAtEnd stop_reloader(reloader);
  auto server = Server::Start(options.listen, {runtime.value().get(), transport.value().get(), reloader});
  if (!server.ok()) return Fail(logger, ListenExit(server.error()), server.error().message());
  logger->Log(LogLevel::kInfo, "", "listening on " + server.value()->address());
  telemetry.value()->Enter(Telemetry::Phase::kServing);

  const int signal = AwaitStop(signals, reloader, runtime.value().get(), logger);
  logger->Log(LogLevel::kInfo, "", std::string(signal == SIGINT ? "SIGINT" : "SIGTERM") + ": stopping");
  telemetry.value()->Enter(Telemetry::Phase::kStopping);
  const auto stuck = StopWithin(
      kCallGrace + std::chrono::seconds(options.drain_timeout_s) + kStopGrace,
      [&] {
        reloader->BeginStop();
        server.value()->Shutdown(kCallGrace);
        runtime.value()->Shutdown();
        reloader->Stop();
      },
      [&] { return runtime.value()->OverdueCalls(); });
  const Error unsaved = state ? state->Flush(kFlushTimeout) : Error();  // what has been confirmed by now
  if (!unsaved.ok()) {
    logger->Log(LogLevel::kError, "",
                "the state cannot be saved: " + unsaved.message() + ": what was read last may come twice");
  }
  telemetry.value().reset();
  if (!stuck.empty()) EndWithout(stuck, logger);
  logger->Log(LogLevel::kInfo, "", "stopped");
  return unsaved.ok() ? kExitStopped : kExitUnsaved;
}

}  // namespace kps
