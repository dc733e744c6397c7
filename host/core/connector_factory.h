// Makes the connectors of this process, with the host services that each is given.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "host/core/ending_threads.h"
#include "host/core/event_store.h"
#include "host/core/logger.h"
#include "host/core/metrics.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"

namespace kps {

class ConnectorFactory {
 public:
  // All of them outlive the factory and its connectors.
  struct Ports {
    Logger* logger;
    EventStore* events;
    Metrics* metrics;
    PluginCalls* calls;
    EndingThreads* ending;
  };

  ConnectorFactory(std::string static_json, Ports ports) : static_json_(std::move(static_json)), ports_(ports) {}

  // Of `plugin`, which is let go after the connector. Errors are the plugin's. Any thread, as what follows.
  Result<std::shared_ptr<Connector>> Create(const std::shared_ptr<Plugin>& plugin, const std::string& config_json);
  // On a thread of its own, for which nobody waits longer, nor after `stop`. DEADLINE_EXCEEDED: it has not come back.
  Result<std::shared_ptr<Connector>> CreateWithin(std::chrono::milliseconds timeout, const std::stop_token& stop,
                                                  const std::shared_ptr<Plugin>& plugin,
                                                  const std::string& config_json);

 private:
  const std::string static_json_;
  const Ports ports_;
  std::atomic<std::uint64_t> created_{0};
};

}  // namespace kps
