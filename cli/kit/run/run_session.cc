#include "cli/kit/run/run_session.h"

#include <utility>

#include "host/core/host_events.h"
#include "host/core/plugin_fit.h"
#include "host/transport/memory_transport.h"

namespace kps::cli {
namespace {

// Small: what waits here is not seen by the author yet.
constexpr std::size_t kQueueEnvelopesMax = 1024;
// Who reads the output may take its time; the stream is not unhealthy for that.
constexpr std::chrono::milliseconds kPublishWait{1000};

Failure FromError(ExitCode exit_code, const Error& error) { return {exit_code, error.message()}; }

// The direction that is asked for, or the only one that there is.
Result<Direction> ChooseDirection(const PluginDescriptor& plugin, Direction wanted) {
  if (wanted == Direction::kUnspecified && plugin.ingress != plugin.egress) {
    return plugin.ingress ? Direction::kIngress : Direction::kEgress;
  }
  if (wanted == Direction::kUnspecified) {
    return Failure{kExitUsage, "plugin " + plugin.name + " has both directions: choose one with --ingress or --egress"};
  }
  if (wanted == Direction::kIngress ? plugin.ingress : plugin.egress) return wanted;
  return Failure{kExitUsage, "plugin " + plugin.name + " has no " + DirectionName(wanted) + " streams"};
}

double Sum(const std::vector<MetricFamily>& families, std::string_view name) {
  double sum = 0;
  for (const MetricFamily& family : families) {
    if (family.name != name) continue;
    for (const MetricSample& sample : family.samples) sum += sample.value;
  }
  return sum;
}

}  // namespace

class RunSession::SystemClock : public Clock {
 public:
  std::int64_t NowNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

RunSession::RunSession(RunLog* log, const RunRequest& request)
    : log_(log),
      drain_timeout_(request.drain_timeout),
      watch_(request.watch),
      config_json_(request.config_json),
      stream_(request.stream),
      clock_(std::make_unique<SystemClock>()),
      transport_(MakeMemoryTransport({.queue_envelopes_max = kQueueEnvelopesMax, .publish_wait = kPublishWait})) {}

Result<std::unique_ptr<RunSession>> RunSession::Open(const RunRequest& request, RunLog* log) {
  std::unique_ptr<RunSession> session(new RunSession(log, request));
  auto reloader = Reloader::Open({.file = request.file, .static_json = request.static_json, .watch = request.watch},
                                 log, session->clock_.get());
  if (!reloader.ok()) return FromError(kExitRefused, reloader.error());
  session->reloader_ = std::move(reloader.value());
  auto plugin = session->reloader_->TakeFirst();
  const PluginDescriptor descriptor = plugin->descriptor();

  const auto direction = ChooseDirection(descriptor, request.stream.direction);
  if (!direction.ok()) return direction.failure();
  session->stream_.direction = direction.value();
  if (const Error error = CheckStaticParameters(request.static_json, descriptor); !error.ok()) {
    return FromError(kExitUsage, error);
  }
  auto runtime = Runtime::Create({.static_json = request.static_json, .drain_timeout = request.drain_timeout},
                                 {std::move(plugin), session->transport_.get(), log, session->clock_.get()});
  if (!runtime.ok()) return FromError(kExitRefused, runtime.error());
  session->runtime_ = std::move(runtime.value());
  session->reloader_->Start(session->runtime_.get());
  return session;
}

RunSession::~RunSession() {
  if (stopping_.joinable()) stopping_.join();
  if (reloader_) reloader_->Stop();
}

std::optional<Failure> RunSession::Start() {
  auto config = ParseJsonObject(config_json_);
  if (!config.ok()) return FromError(kExitUsage, config.error());
  const SetPayloadCommand command = CommandFor("", config.value(), {{stream_.id, stream_}});
  const auto outcome = runtime_->SetPayload(command);
  if (outcome.error.ok()) return {};
  std::string text;
  for (const Violation& violation : outcome.violations) {
    text += (text.empty() ? "" : "\n") + Told(violation, command);
  }
  if (!text.empty()) return Failure{kExitUsage, text};
  return FromError(kExitRefused, outcome.error);
}

bool RunSession::ShowsFailure() {
  const auto events = runtime_->Events();
  log_->ShowEvents(events);
  if (watch_) return false;
  for (const Event& event : events) {
    if (event.id == kStreamFailed.id && event.stream_id == stream_.id) return true;
  }
  return false;
}

bool RunSession::Running() const {
  const auto views = runtime_->DesiredStreams();
  return !views.empty() && views.front().subscribed;
}

RunFigures RunSession::Figures() const {
  const auto families = runtime_->ledgers().Families(clock_->NowNs());
  const auto sum = [&](std::string_view name) { return static_cast<std::uint64_t>(Sum(families, name)); };
  return {sum("kps_stream_delivered_total"), sum("kps_stream_dead_lettered_total"), sum("kps_stream_dropped_total")};
}

void RunSession::BeginStop() {
  stop_begun_ = std::chrono::steady_clock::now();
  reloader_->BeginStop();
  stopping_ = std::thread([this] {
    runtime_->Shutdown();
    reloader_->Stop();
    stopped_ = true;
  });
}

std::optional<std::string> RunSession::Overdue() const {
  if (std::chrono::steady_clock::now() < stop_begun_ + drain_timeout_ + PluginCalls::kGrace) return {};
  const auto calls = runtime_->OverdueCalls();
  if (calls.empty()) return {};
  return Describe(calls.front());
}

}  // namespace kps::cli
