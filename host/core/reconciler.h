// Makes the streams that run equal to those that are desired: the one place where streams are started, restarted and
// stopped. What is to be done is decided by PlanStreams.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "host/core/event_store.h"
#include "host/core/json.h"
#include "host/core/metrics.h"
#include "host/core/mutex.h"
#include "host/core/plan.h"
#include "host/core/plugin.h"
#include "host/core/stream_mover.h"
#include "host/core/stream_runner.h"

namespace kps {

struct StreamView {
  StreamSpec stream;
  bool subscribed = false;
  bool discovered = false;  // and not desired: that is how clients know which streams to send along
};

class Reconciler {
 public:
  // What `environment` points to, and `metrics`, outlive it.
  Reconciler(StreamEnvironment environment, Metrics* metrics);
  ~Reconciler();

  // A change of the streams, with all that it needs and might not get.
  struct Change {
    StreamMap desired;
    Plan plan;
    std::map<std::string, std::shared_ptr<StreamRunner>> runners;  // of what starts or restarts; not launched
  };
  // Nothing is changed by it. RESOURCE_EXHAUSTED: there are not enough threads.
  Result<Change> Prepare(StreamMap desired) const;
  // Streams and config become these at once, for every reader. What starts or restarts runs on `connector`; where that
  // is a new one, the other streams follow in the background, one by one. Kept streams that wait after a failure try
  // again, those of `try_again`. No other change was applied since this one was prepared.
  void Apply(Change change, JsonMembers config, std::shared_ptr<Connector> connector, Waiting try_again);
  // Where streams go on that the next Apply starts. Once, before streams were applied.
  void Resume(std::map<std::string, ResumePoint> points);

  // The streams go over to `connector`, one by one, each while it carries; then it is the one for what is applied next.
  // An error: with one of them it does not work within `timeout`, and all go on with the present one. Nothing is
  // applied meanwhile. `stop`: it is given up, as all streams are about to end.
  struct Swapped {
    std::vector<std::chrono::nanoseconds> pauses;
    std::vector<std::string> standing;  // streams that go over when they come back from their plugin
  };
  Result<Swapped> Swap(std::shared_ptr<Connector> connector, std::chrono::milliseconds timeout, std::stop_token stop);

  // Any thread; neither waits for the plugin.
  std::vector<StreamView> Streams() const;  // ordered by id
  JsonMembers Config() const;

  // Stops every stream, each drained, and lets the connector go. Nothing is applied after that.
  void Shutdown();

 private:
  using Runner = std::shared_ptr<StreamRunner>;
  struct Running {
    Runner runner;
    std::uint64_t generation = 0;  // of its connector
  };
  using RunningMap = std::map<std::string, Running>;

  void Stop(RunningMap* running, const std::string& id) KPS_REQUIRES(apply_mutex_);
  // The stream's run that has ended or is told to end now, then its successor.
  Running Restart(const Runner& former, Runner runner) KPS_REQUIRES(apply_mutex_);
  Running Start(Runner runner, Runner predecessor) KPS_REQUIRES(apply_mutex_);
  // The run of a removed stream that may still be ending; null: there is none.
  Runner StoppedRunner(const std::string& id) const KPS_REQUIRES(apply_mutex_);
  RunningMap CopyRunning() const KPS_EXCLUDES(state_mutex_);
  StreamMover::Moved MoveNext();
  void SetSwapping(bool swapping);
  void MoveBack(const std::vector<Runner>& runners, std::chrono::milliseconds timeout, const std::stop_token& stop);

  const StreamEnvironment environment_;
  Metrics* const metrics_;

  // One change at a time. Streams are told to stop, which may call the plugin's wake, and are started: readers do not
  // wait for this.
  Mutex apply_mutex_;
  std::shared_ptr<Connector> connector_ KPS_GUARDED_BY(apply_mutex_);
  std::uint64_t generation_ KPS_GUARDED_BY(apply_mutex_) = 0;  // of connector_
  bool swapping_ KPS_GUARDED_BY(apply_mutex_) = false;         // streams are moved by Swap alone
  std::string last_moved_ KPS_GUARDED_BY(apply_mutex_);        // to a new connector
  std::map<std::string, ResumePoint> saved_points_ KPS_GUARDED_BY(apply_mutex_);
  std::vector<Runner> stopped_ KPS_GUARDED_BY(apply_mutex_);  // told to stop, perhaps still ending

  // What readers see. Held for a copy or a swap; changed with apply_mutex_ held as well.
  mutable Mutex state_mutex_;
  RunningMap running_ KPS_GUARDED_BY(state_mutex_);
  JsonMembers config_ KPS_GUARDED_BY(state_mutex_);

  StreamMover mover_;
};

}  // namespace kps
