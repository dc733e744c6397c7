#include "cli/kit/run/run.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <ostream>

#include "cli/kit/plugin_path.h"
#include "cli/stop_on_signals.h"
#include "cli/stream_file.h"
#include "host/core/static_parameters.h"
#include "host/plugin/preflight.h"

namespace kps::cli {
namespace {

constexpr std::chrono::milliseconds kTrialTimeout{10'000};

using Seconds = std::chrono::duration<double>;

Result<Direction> DirectionOf(const RunArguments& arguments, const StreamFile& stream) {
  Direction direction = Direction::kUnspecified;
  if (arguments.ingress) direction = Direction::kIngress;
  if (arguments.egress) direction = Direction::kEgress;
  if (!stream.direction) return direction;
  const Direction named = *stream.direction == StreamDirection::kIngress ? Direction::kIngress : Direction::kEgress;
  if (direction == Direction::kUnspecified || direction == named) return named;
  return Failure{kExitUsage, arguments.stream_file + " is an " + DirectionName(named) + " stream, but --" +
                                 (arguments.ingress ? "ingress" : "egress") + " was given"};
}

Result<RunRequest> MakeRequest(const RunArguments& arguments, std::istream& in) {
  RunRequest request;
  const auto file = ChoosePlugin(arguments.plugin, PluginDirectories(arguments.plugin_path));
  if (!file.ok()) return file.failure();
  request.file = file.value();
  StreamFile stream;
  if (!arguments.stream_file.empty()) {
    auto read = ReadStreamFile(arguments.stream_file, in);
    if (!read.ok()) return read.failure();
    stream = std::move(read.value());
  }
  const auto direction = DirectionOf(arguments, stream);
  if (!direction.ok()) return direction.failure();
  request.stream = {stream.id, direction.value(), stream.channel, stream.metadata_json};
  if (!arguments.config_file.empty()) {
    auto config = ReadConfigFile(arguments.config_file, in);
    if (!config.ok()) return config.failure();
    request.config_json = std::move(config.value());
  }
  auto static_json = MergeParameters("{}", "", arguments.static_params);
  if (!static_json.ok()) return Failure{kExitUsage, static_json.error().message()};
  request.static_json = std::move(static_json.value());
  request.watch = arguments.watch;
  request.drain_timeout = std::chrono::seconds(arguments.drain_timeout_s);
  return request;
}

MessageFormat FormatOf(const std::string& name) {
  if (name == "hex") return MessageFormat::kHex;
  return name == "json" ? MessageFormat::kJson : MessageFormat::kText;
}

std::string Summary(const RunSession& session, const Passed& passed, Seconds time) {
  char text[160];
  std::snprintf(text, sizeof text, "%llu messages, %llu bytes in %.3f s: %.0f messages/s, %.0f bytes/s",
                static_cast<unsigned long long>(passed.messages), static_cast<unsigned long long>(passed.bytes),
                time.count(), static_cast<double>(passed.messages) / time.count(),
                static_cast<double>(passed.bytes) / time.count());
  if (session.stream().direction == Direction::kIngress) return text;
  const RunFigures figures = session.Figures();
  return std::string(text) + "; delivered " + std::to_string(figures.delivered) + ", dead letters " +
         std::to_string(figures.dead_lettered) + ", dropped " + std::to_string(figures.dropped);
}

ExitCode RunRequested(const RunRequest& request, const RunLimits& limits, const ToolContext& context) {
  RunLog log(&context.err);
  auto opened = RunSession::Open(request, &log);
  if (!opened.ok()) {
    log.Line(opened.failure().text);
    return opened.failure().exit_code;
  }
  RunSession& session = *opened.value();
  const auto begun = std::chrono::steady_clock::now();
  Passed passed;
  const ExitCode exit_code = session.stream().direction == Direction::kIngress
                                 ? RunIngress(&session, limits, context.out, &log, &passed)
                                 : RunEgress(&session, limits, STDIN_FILENO, &log, &passed);
  if (exit_code != kExitUsage || passed.messages > 0) {
    log.Line(Summary(session, passed, std::chrono::steady_clock::now() - begun));
  }
  return exit_code;
}

}  // namespace

void StopSession(RunSession* session, RunLog* log, const std::function<void()>& meanwhile) {
  session->BeginStop();
  while (!session->Stopped()) {
    meanwhile();
    if (const auto call = session->Overdue()) {
      log->Line(*call);
      log->Line("the plugin does not come back: ended without it");
      _exit(kExitRefused);  // its thread cannot be ended, so what it uses cannot be either
    }
  }
}

namespace {

// What would hang or crash while the plugin is loaded and its connector made does so in a child. No value: it does not;
// what else is wrong is told when it is done here.
std::optional<ExitCode> TryInChild(const RunRequest& request, const std::stop_token& stop, const ToolContext& context) {
  const Error error =
      Preflight("/proc/self/exe", {request.file, request.static_json, request.config_json}, kTrialTimeout, stop);
  if (error.code() == Code::kCancelled) return kExitOk;
  if (error.code() != Code::kDeadlineExceeded && error.code() != Code::kFailedPrecondition) return std::nullopt;
  context.err << error.message() << std::endl;
  return kExitRefused;
}

}  // namespace

ExitCode Run(const RunArguments& arguments, const ToolContext& context) {
  // Before any other thread, which would take the signals.
  const StopOnSignals stop;
  signal(SIGPIPE, SIG_IGN);  // a reader that has gone ends the output, and so the run
  const auto request = MakeRequest(arguments, context.in);
  if (!request.ok()) {
    context.err << request.failure().text << "\n";
    return request.failure().exit_code;
  }
  if (const auto code = TryInChild(request.value(), stop.token(), context)) return *code;
  return RunRequested(request.value(), {FormatOf(arguments.format), arguments.count, stop.token()}, context);
}

}  // namespace kps::cli
