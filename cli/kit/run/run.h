// kps-connector plugin run: the inner loop of a plugin's author. The plugin runs as in the host, without a platform, a
// broker or gRPC: what an ingress stream reads is printed, and lines of stdin go to an egress stream.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/kit/run/message_format.h"
#include "cli/kit/run/run_log.h"
#include "cli/kit/run/run_session.h"
#include "cli/kit/tool.h"

namespace kps::cli {

struct RunArguments {
  std::string plugin;  // a file or a name
  std::string plugin_path;
  std::string stream_file;  // empty: no metadata
  bool ingress = false;
  bool egress = false;
  std::vector<std::string> static_params;
  std::string config_file;  // empty: no config
  std::string format = "text";
  std::uint64_t count = 0;  // messages; 0: no end
  bool watch = false;
  int drain_timeout_s = 10;
};

// What has passed through.
struct Passed {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;  // of payload
};

struct RunLimits {
  MessageFormat format = MessageFormat::kText;
  std::uint64_t count = 0;  // messages; 0: no end
  std::stop_token stop;
};

// Prints what an ingress stream reads. Returns when `stop` comes, the count is reached, the stream has failed for good,
// or `out` cannot be written to; the stream is drained then.
ExitCode RunIngress(RunSession* session, const RunLimits& limits, std::ostream& out, RunLog* log, Passed* passed);

// Gives the lines of `fd` to an egress stream. Returns as RunIngress does; at the end of the lines, when all of them
// are delivered. A line that is none of its format ends it, too.
ExitCode RunEgress(RunSession* session, const RunLimits& limits, int fd, RunLog* log, Passed* passed);

// Ends the stream, while `meanwhile` is called again and again; exits the process with code 2 where the plugin does not
// come back.
void StopSession(RunSession* session, RunLog* log, const std::function<void()>& meanwhile);

// Exit codes: 0 ended as asked for; 1 the command line or a file is wrong; 2 the plugin cannot be used, or the stream
// has failed.
ExitCode Run(const RunArguments& arguments, const ToolContext& context);

void AddRun(CLI::App* group, ToolJob* job);

}  // namespace kps::cli
