// The streams that the plugin discovers, from a cache: asking the plugin takes long, and GetPayload may not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "host/core/error.h"
#include "host/core/event_store.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"

namespace kps {

class Discovery {
 public:
  using StreamMap = std::map<std::string, StreamSpec>;  // by id

  struct Times {
    std::chrono::milliseconds fresh{5000};                  // an answer, also a failure, is not asked for again before
    std::chrono::milliseconds wait{1000};                   // the most a caller waits, from when the plugin was asked
    std::chrono::milliseconds timeout{3000};                // what the plugin is given
    std::chrono::milliseconds grace = PluginCalls::kGrace;  // and may take beyond that, before nobody waits for it
  };

  // Both outlive it.
  Discovery(EventStore* events, Logger* logger, Times times);
  Discovery(EventStore* events, Logger* logger) : Discovery(events, logger, Times()) {}
  ~Discovery() { Stop(); }

  // From now on `connector` is asked. What an earlier one answered is known, but no longer fresh. Null: nothing is
  // discovered, and nothing known. One thread, as Stop.
  void Use(std::shared_ptr<Connector> connector);
  // What is known, asking first when that is not fresh. Any thread.
  std::shared_ptr<const StreamMap> Streams();
  // Waits for the plugin's answer, if one is due, and lets the connector go. One thread.
  void Stop();

  // While it is paused the plugin is not asked, so that the connector's other control functions may be called. One
  // thread. UNAVAILABLE: the plugin does not come back from what it was asked.
  Error Pause();
  void Resume();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void Run();
  void Ask(Connector* connector);
  void ReportSkipped(const Discovered& found);

  EventStore* const events_;
  Logger* const logger_;
  const Times times_;

  std::size_t skipped_ = 0;  // as last reported; of the thread

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;
  bool wanted_ KPS_GUARDED_BY(mutex_) = false;
  bool paused_ KPS_GUARDED_BY(mutex_) = false;
  bool calling_ KPS_GUARDED_BY(mutex_) = false;  // the plugin
  Time called_at_ KPS_GUARDED_BY(mutex_){};
  Time asked_at_ KPS_GUARDED_BY(mutex_){};  // for what is wanted
  Time fresh_until_ KPS_GUARDED_BY(mutex_){};
  std::uint64_t answers_ KPS_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Connector> connector_ KPS_GUARDED_BY(mutex_);
  std::shared_ptr<const StreamMap> known_ KPS_GUARDED_BY(mutex_) = std::make_shared<const StreamMap>();
  std::thread thread_;  // asks the plugin; since there is one to be asked
};

}  // namespace kps
