// The connector: desired streams, config and events, behind the three calls of the contract. It knows neither gRPC nor
// NATS nor shared libraries: those reach it as ports.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/connector_factory.h"
#include "host/core/discovery.h"
#include "host/core/ending_threads.h"
#include "host/core/event_store.h"
#include "host/core/known_events.h"
#include "host/core/lasting_calls.h"
#include "host/core/metrics.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"
#include "host/core/reconciler.h"
#include "host/core/state_store.h"
#include "host/core/validate.h"

namespace kps {

class Runtime {
 public:
  struct Options {
    std::string connector_id{};      // empty: every id is accepted
    std::string static_json = "{}";  // static parameters, a JSON object
    std::chrono::milliseconds drain_timeout{10'000};
    FailurePolicy policy{};
    Window::Limits window{};
    // An alert tells of a call of the plugin that lasts so much longer than its timeout; one that creates something has
    // none, and may take as long as a connect.
    std::chrono::milliseconds told_beyond{10'000};
  };
  // All of them but the plugin outlive the runtime.
  struct Ports {
    std::shared_ptr<Plugin> plugin;  // the first version
    Transport* transport = nullptr;
    Logger* logger = nullptr;
    const Clock* clock = nullptr;
    StateStore* state = nullptr;  // null: nothing survives the process
  };

  // Checks the static parameters against the plugin's schema, creates its connector, and goes on with what the state
  // store has kept. Errors are those of the plugin or the store, or INVALID_ARGUMENT.
  static Result<std::unique_ptr<Runtime>> Create(Options options, Ports ports);
  // Shuts down if that has not happened.
  ~Runtime();

  // What a SetPayload did.
  struct SetOutcome {
    Error error;                        // OK: the desired state is accepted
    std::vector<Violation> violations;  // why not, one by one
  };
  using StreamView = kps::StreamView;

  // All calls: any thread. SetPayloads are applied one after the other, each as a whole or not at all; what the others
  // see is the state before or after it. Only SetPayload may wait for the plugin: while it looks at another config.
  SetOutcome SetPayload(const SetPayloadCommand& command);
  // The desired streams, ordered by id, then those that the plugin has discovered besides. Waits up to a second when
  // that is to be asked for.
  std::vector<StreamView> Streams() const;
  std::vector<StreamView> DesiredStreams() const;
  JsonMembers Config() const { return reconciler_.Config(); }
  // Ordered by stream, kind and id.
  std::vector<Event> Events() const;
  // What the plugin reports.
  const Metrics& metrics() const { return metrics_; }
  const Ledgers& ledgers() const { return ledgers_; }
  std::vector<Violation> CheckId(const std::string& connector_id) const;
  // Calls of the plugin that last longer than they were allowed to.
  std::vector<PluginCall> OverdueCalls() const { return calls_.Overdue(); }
  // Logs calls of the plugin that have begun to last, or have returned, since it was called before: to be called every
  // second or so.
  void LogLastingCalls() {
    lasting_.LogChanges(ports_.logger, calls_.Overdue().empty() ? std::vector<StreamView>() : reconciler_.Streams());
  }

  // Another version of the plugin takes the place of the present one, while the streams go on: each moves in a pause
  // that Swapped tells, or, where it does not work, all of them go on with the present one and nothing has changed. One
  // step of a stream may take `timeout`. Streams that do not come back from the present version follow when they do.
  // FAILED_PRECONDITION: it is another plugin. INVALID_ARGUMENT: it refuses what is set. UNAVAILABLE: shutting down, or
  // `stop`. Else the error is the plugin's. SetPayloads wait. Any thread.
  struct Swapped {
    std::string from;  // versions
    std::string to;
    std::vector<std::chrono::nanoseconds> pauses;  // one for each stream that moved while it carried
    std::vector<std::string> standing;             // streams that have not come back yet
    std::uint64_t dropped = 0;                     // messages, meanwhile
  };
  Result<Swapped> Swap(std::shared_ptr<Plugin> plugin, std::chrono::milliseconds timeout, std::stop_token stop = {});
  // What the plugin is given as its config, a JSON object.
  std::string PluginConfigJson() const;
  // Of the plugin that runs.
  PluginDescriptor Descriptor() const { return generation()->plugin->descriptor(); }

  // An event of the host about the connector as a whole. Any thread.
  void Raise(const KnownEvent& type, const std::string& reason);
  void Tell(const KnownEvent& type, const std::vector<std::pair<std::string_view, std::string_view>>& metadata);
  void Clear(const KnownEvent& type);

  // Whether the state store can save: an alert tells while it cannot. Any thread.
  void ReportStateStore(const Error& error);

  // Stops every stream, each drained within the drain timeout; then the connector is gone. Once, any thread.
  void Shutdown();

 private:
  // One version of the plugin, and what it allows.
  struct Generation {
    std::shared_ptr<Plugin> plugin;
    Rules rules;
  };

  Runtime(Options options, Ports ports, std::shared_ptr<const Generation> generation);

  // What a SetPayload comes to, when nothing is in its way.
  struct Prepared {
    Reconciler::Change change;
    JsonMembers config;
    std::shared_ptr<Connector> connector;
    bool plugin_config_changed = false;
  };
  SetOutcome Set(const SetPayloadCommand& command) KPS_REQUIRES(control_mutex_);
  SetOutcome Prepare(const SetPayloadCommand& command, Prepared* prepared) KPS_REQUIRES(control_mutex_);
  void Commit(Prepared prepared) KPS_REQUIRES(control_mutex_);
  Error Save(const Prepared& prepared) KPS_REQUIRES(control_mutex_);
  Error Restore() KPS_REQUIRES(control_mutex_);

  // The connector for `config`: the present one, to which it has been given, or a new one.
  Result<std::shared_ptr<Connector>> Configured(const JsonMembers& config) KPS_REQUIRES(control_mutex_);
  Result<ConfigureOutcome> CallConfigure(const std::string& config_json) KPS_REQUIRES(control_mutex_);
  std::shared_ptr<const Generation> generation() const;
  Result<Swapped> SwapTo(std::shared_ptr<const Generation> next, std::chrono::milliseconds timeout,
                         const std::stop_token& stop) KPS_REQUIRES(control_mutex_);

  const Options options_;
  const Ports ports_;
  EventStore events_;
  Metrics metrics_;
  Ledgers ledgers_;
  PluginCalls calls_;
  EndingThreads ending_;
  ConnectorFactory connectors_;
  Reconciler reconciler_;
  mutable Discovery discovery_;  // asking is no change
  LastingCalls lasting_;

  Mutex control_mutex_;  // held by one SetPayload as a whole, also while the plugin looks at a config
  std::shared_ptr<Connector> connector_ KPS_GUARDED_BY(control_mutex_);  // null: shut down
  std::stop_source shutting_down_;

  mutable Mutex generation_mutex_;  // held for a copy
  std::shared_ptr<const Generation> generation_ KPS_GUARDED_BY(generation_mutex_);
};

}  // namespace kps
