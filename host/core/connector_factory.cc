#include "host/core/connector_factory.h"

#include <set>
#include <system_error>
#include <utility>

#include "host/core/host_events.h"
#include "host/core/marked_plugin.h"
#include "host/core/mutex.h"

namespace kps {
namespace {

class Services : public HostServices {
 public:
  Services(Logger* logger, EventStore* events, Metrics* metrics, std::uint64_t origin)
      : logger_(logger), events_(events), metrics_(metrics), origin_(origin) {}

  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override {
    logger_->Log(level, stream_id, text);
  }
  void Raise(Event event) override {
    if (IsOfHost(event.id)) return Refuse(event);
    event.origin = origin_;
    events_->Put(std::move(event));
  }
  void CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment) override {
    metrics_->CounterAdd(stream_id, name, increment);
  }
  void GaugeSet(std::string_view stream_id, std::string_view name, double value) override {
    metrics_->GaugeSet(stream_id, name, value);
  }

 private:
  // One line for each name: they are few, and a plugin may raise one for every message.
  void Refuse(const Event& event) {
    {
      MutexLock lock(mutex_);
      if (!refused_.insert(event.id).second) return;
    }
    logger_->Log(LogLevel::kWarn, event.stream_id,
                 "the plugin has raised the event " + event.id +
                     ", which only the host may: it is ignored, now and later on. Plugins need names of their own");
  }

  Logger* const logger_;
  EventStore* const events_;
  Metrics* const metrics_;
  const std::uint64_t origin_;
  Mutex mutex_;
  std::set<std::string> refused_ KPS_GUARDED_BY(mutex_);
};

// What a connector needs as long as it lives; let go in reverse order.
struct Needs {
  Needs(std::shared_ptr<Plugin> the_plugin, Logger* logger, EventStore* events, Metrics* metrics, std::uint64_t origin)
      : plugin(std::move(the_plugin)), services(logger, events, metrics, origin) {}
  const std::shared_ptr<Plugin> plugin;
  Services services;
};

}  // namespace

Result<std::shared_ptr<Connector>> ConnectorFactory::Create(const std::shared_ptr<Plugin>& plugin,
                                                            const std::string& config_json) {
  const std::uint64_t origin = ++created_;
  auto needs = std::make_shared<Needs>(plugin, ports_.logger, ports_.events, ports_.metrics, origin);
  auto connector = [&] {
    const PluginCalls::ControlCall call(ports_.calls, "create_connector");
    return plugin->CreateConnector(static_json_, config_json, &needs->services);
  }();
  if (!connector.ok()) return connector.error();
  return std::shared_ptr<Connector>(
      std::make_shared<MarkedConnector>(std::move(connector.value()), ports_.calls, origin, std::move(needs)));
}

Result<std::shared_ptr<Connector>> ConnectorFactory::CreateWithin(std::chrono::milliseconds timeout,
                                                                  const std::stop_token& stop,
                                                                  const std::shared_ptr<Plugin>& plugin,
                                                                  const std::string& config_json) {
  using Created = Result<std::shared_ptr<Connector>>;
  struct Attempt {
    std::shared_ptr<Plugin> plugin;
    Created result = Error(Code::kDeadlineExceeded, "create_connector has not returned in time");
  };
  auto attempt = std::make_shared<Attempt>();
  attempt->plugin = plugin;
  WatchedThread thread;
  try {
    thread = WatchedThread([this, attempt, config_json] { attempt->result = Create(attempt->plugin, config_json); });
  } catch (const std::system_error& error) {
    return Error(Code::kResourceExhausted, std::string("the system gives no thread for it: ") + error.what());
  }
  if (!thread.WaitUntilEnded(std::chrono::steady_clock::now() + timeout, stop)) {
    ports_.ending->Add(std::move(thread), attempt);
    return Error(Code::kDeadlineExceeded, "create_connector has not returned in time");
  }
  thread.join();
  return std::move(attempt->result);
}

}  // namespace kps
