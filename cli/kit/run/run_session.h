// One stream of one plugin, run as the host runs it, over a transport in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "cli/kit/run/run_log.h"
#include "cli/result.h"
#include "host/core/runtime.h"
#include "host/plugin/reloader.h"

namespace kps::cli {

struct RunRequest {
  std::string file;  // of the plugin
  std::string static_json = "{}";
  std::string config_json = "{}";
  StreamSpec stream;  // without a direction: the plugin's only one
  bool watch = false;
  std::chrono::milliseconds drain_timeout{10'000};
};

// What became of the messages of the stream.
struct RunFigures {
  std::uint64_t delivered = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t settled() const { return delivered + dead_lettered + dropped; }
};

class RunSession {
 public:
  // Loads the plugin, and creates its connector and the transport. Nothing flows yet. Exit code 1: what is asked for is
  // wrong; 2: the plugin cannot be used. `log` outlives the session.
  static Result<std::unique_ptr<RunSession>> Open(const RunRequest& request, RunLog* log);
  ~RunSession();

  // The stream starts. The failure has what is wrong with its metadata or the config, in the words of the schema.
  std::optional<Failure> Start();

  const StreamSpec& stream() const { return stream_; }
  Transport* transport() { return transport_.get(); }
  // Shows what has happened; whether the stream has failed for good, so that nothing more will come of it. Where the
  // plugin is watched, a new version may mend it.
  bool ShowsFailure();
  // The stream carries messages.
  bool Running() const;
  RunFigures Figures() const;

  // The stream is drained, on a thread of its own. Once.
  void BeginStop();
  // Whether that has come to its end. After Overdue(), it never will: the process has to end without the plugin.
  bool Stopped() const { return stopped_; }
  // The call of the plugin that the stop waits for in vain, in a sentence; nothing: there is still hope.
  std::optional<std::string> Overdue() const;

 private:
  class SystemClock;
  RunSession(RunLog* log, const RunRequest& request);

  RunLog* const log_;
  const std::chrono::milliseconds drain_timeout_;
  const bool watch_;
  const std::string config_json_;
  StreamSpec stream_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Runtime> runtime_;
  std::chrono::steady_clock::time_point stop_begun_;
  std::atomic<bool> stopped_{false};
  std::thread stopping_;
};

}  // namespace kps::cli
