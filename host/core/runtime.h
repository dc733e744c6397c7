// The connector: desired streams, config and events, behind the three calls of the contract. It knows neither gRPC nor
// NATS nor shared libraries: those reach it as ports.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/core/event_store.h"
#include "host/core/metrics.h"
#include "host/core/mutex.h"
#include "host/core/plan.h"
#include "host/core/plugin.h"
#include "host/core/stream_runner.h"
#include "host/core/validate.h"

namespace kps {

class Runtime {
 public:
  struct Options {
    std::string connector_id;        // empty: every id is accepted
    std::string static_json = "{}";  // static parameters, a JSON object
    std::chrono::milliseconds drain_timeout{10'000};
  };
  // All of them outlive the runtime.
  struct Ports {
    Plugin* plugin = nullptr;
    Transport* transport = nullptr;
    Logger* logger = nullptr;
    const Clock* clock = nullptr;
  };

  // Checks the static parameters against the plugin's schema and creates its connector. Errors are those of the plugin
  // or INVALID_ARGUMENT.
  static Result<std::unique_ptr<Runtime>> Create(Options options, Ports ports);
  // Shuts down if that has not happened.
  ~Runtime();

  // What a SetPayload did.
  struct SetOutcome {
    Error error;                        // OK: the desired state is accepted
    std::vector<Violation> violations;  // why not, one by one
  };
  struct StreamView {
    StreamSpec stream;
    bool subscribed = false;
    bool discovered = false;
  };

  // All calls: any thread. SetPayloads are applied one after the other, each as a whole or not at all.
  SetOutcome SetPayload(const SetPayloadCommand& command);
  std::vector<StreamView> Streams() const;
  JsonMembers Config() const;
  std::vector<Event> Events() const { return events_.List(); }
  // What the plugin reports.
  const Metrics& metrics() const { return metrics_; }
  std::vector<Violation> CheckId(const std::string& connector_id) const;

  // Stops every stream, each drained within the drain timeout; then the connector is gone. Once, any thread.
  void Shutdown();

 private:
  class Services;
  using Runner = std::shared_ptr<StreamRunner>;

  Runtime(Options options, Ports ports, Rules rules);

  // The current streams become `desired`. Streams to keep are restarted too when the connector was recreated.
  void Apply(const StreamMap& desired, bool connector_recreated) KPS_REQUIRES(mutex_);
  void Start(const StreamSpec& stream, Runner predecessor) KPS_REQUIRES(mutex_);
  // Gives the new config to the connector. Sets *recreated when there is a new one.
  Error Configure(const JsonMembers& config, bool* recreated) KPS_REQUIRES(mutex_);
  // The runner of a removed stream that may still be ending; null: there is none.
  Runner StoppedRunner(const std::string& id) const KPS_REQUIRES(mutex_);
  void ReapStopped() KPS_REQUIRES(mutex_);

  const Options options_;
  const Ports ports_;
  const Rules rules_;
  EventStore events_;
  Metrics metrics_;
  const std::unique_ptr<Services> services_;

  mutable Mutex mutex_;
  StreamMap streams_ KPS_GUARDED_BY(mutex_);
  std::map<std::string, Runner> runners_ KPS_GUARDED_BY(mutex_);
  std::vector<Runner> stopped_ KPS_GUARDED_BY(mutex_);  // told to stop, perhaps still ending
  JsonMembers config_ KPS_GUARDED_BY(mutex_);
  std::shared_ptr<Connector> connector_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
