#include "host/core/runtime.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kps {

class Runtime::Services : public HostServices {
 public:
  Services(Logger* logger, EventStore* events, Metrics* metrics)
      : logger_(logger), events_(events), metrics_(metrics) {}

  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override {
    logger_->Log(level, stream_id, text);
  }
  void Raise(Event event) override { events_->Put(std::move(event)); }
  void CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment) override {
    metrics_->CounterAdd(stream_id, name, increment);
  }
  void GaugeSet(std::string_view stream_id, std::string_view name, double value) override {
    metrics_->GaugeSet(stream_id, name, value);
  }

 private:
  Logger* const logger_;
  EventStore* const events_;
  Metrics* const metrics_;
};

namespace {

Error Prefixed(const std::string& prefix, const Error& error) { return Error(error.code(), prefix + error.message()); }

Result<Rules> MakeRules(const std::string& connector_id, const PluginDescriptor& descriptor) {
  Rules rules{connector_id, descriptor.name, descriptor.ingress, descriptor.egress, {}, {}};
  auto config_schema = Schema::Parse(descriptor.config_schema);
  if (!config_schema.ok()) return Prefixed("the config_schema of plugin " + descriptor.name + ": ", config_schema.error());
  auto stream_schema = Schema::Parse(descriptor.stream_schema);
  if (!stream_schema.ok()) return Prefixed("the stream_schema of plugin " + descriptor.name + ": ", stream_schema.error());
  rules.config_schema = std::move(config_schema.value());
  rules.stream_schema = std::move(stream_schema.value());
  return rules;
}

// Whether `to` can go on where `from` ends. What is on its way on an egress stream belongs to its channel.
bool CanHandOver(const StreamSpec& from, const StreamSpec& to) {
  return from.direction == to.direction && (from.direction == Direction::kIngress || from.channel == to.channel);
}

Error CheckStaticParameters(const std::string& static_json, const PluginDescriptor& descriptor) {
  if (auto parsed = ParseJsonObject(static_json); !parsed.ok()) return Prefixed("static parameters: ", parsed.error());
  auto schema = Schema::Parse(descriptor.static_schema);
  if (!schema.ok()) return Prefixed("the static_schema of plugin " + descriptor.name + ": ", schema.error());
  const auto violations = schema.value().Check(static_json, "static parameters");
  if (violations.empty()) return {};
  return Error(Code::kInvalidArgument, violations.front().field + " " + violations.front().description);
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::Create(Options options, Ports ports) {
  const PluginDescriptor& descriptor = ports.plugin->descriptor();
  if (Error error = CheckStaticParameters(options.static_json, descriptor); !error.ok()) return error;
  auto rules = MakeRules(options.connector_id, descriptor);
  if (!rules.ok()) return rules.error();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(options), ports, std::move(rules.value())));
  auto connector = ports.plugin->CreateConnector(runtime->options_.static_json, "{}", runtime->services_.get());
  if (!connector.ok()) {
    return Prefixed("plugin " + descriptor.name + " cannot create its connector: ", connector.error());
  }
  {
    MutexLock lock(runtime->mutex_);
    runtime->connector_ = std::move(connector.value());
  }
  return runtime;
}

Runtime::Runtime(Options options, Ports ports, Rules rules)
    : options_(std::move(options)),
      ports_(ports),
      rules_(std::move(rules)),
      events_(ports.clock),
      services_(std::make_unique<Services>(ports.logger, &events_, &metrics_)) {}

Runtime::~Runtime() { Shutdown(); }

std::vector<Violation> Runtime::CheckId(const std::string& connector_id) const {
  return CheckConnectorId(connector_id, rules_.connector_id);
}

Runtime::SetOutcome Runtime::SetPayload(const SetPayloadCommand& command) {
  MutexLock lock(mutex_);
  if (!connector_) return {Error(Code::kUnavailable, "the host is shutting down"), {}};
  auto violations = Validate(command, rules_, config_);
  if (!violations.empty()) {
    Error error(Code::kInvalidArgument, violations.front().field + " " + violations.front().description);
    return {std::move(error), std::move(violations)};
  }
  StreamMap desired;
  for (const auto& payload : command.payloads) {
    if (const auto* stream = std::get_if<StreamSpec>(&payload)) desired.emplace(stream->id, *stream);
  }
  bool recreated = false;
  JsonMembers config = MergedConfig(command, config_);
  if (config != config_) {
    if (Error error = Configure(config, &recreated); !error.ok()) {
      std::vector<Violation> why{{"config", "is refused by the plugin: " + error.message()}};
      return {std::move(error), std::move(why)};
    }
    config_ = std::move(config);
  }
  Apply(desired, recreated);
  return {};
}

Error Runtime::Configure(const JsonMembers& config, bool* recreated) {
  const std::string json = ToJson(config);
  auto outcome = connector_->Configure(json);
  if (!outcome.ok()) return outcome.error();
  if (outcome.value() == ConfigureOutcome::kApplied) return {};
  auto connector = ports_.plugin->CreateConnector(options_.static_json, json, services_.get());
  if (!connector.ok()) return connector.error();
  connector_ = std::move(connector.value());
  *recreated = true;
  return {};
}

void Runtime::Apply(const StreamMap& desired, bool connector_recreated) {
  ReapStopped();
  Plan plan = PlanStreams(streams_, desired);
  if (connector_recreated) {
    plan.restart.insert(plan.restart.end(), plan.keep.begin(), plan.keep.end());
    plan.keep.clear();
  }
  for (const std::string& id : plan.stop) {
    auto node = runners_.extract(id);
    node.mapped()->RequestStop(StopMode::kDrain);
    stopped_.push_back(std::move(node.mapped()));
    events_.RemoveStream(id);
    metrics_.RemoveStream(id);
    ports_.logger->Log(LogLevel::kInfo, id, "stream removed");
  }
  for (const std::string& id : plan.restart) {
    Runner old = runners_.at(id);
    old->RequestStop(CanHandOver(old->stream(), desired.at(id)) ? StopMode::kHandOver : StopMode::kDrain);
    // Its events speak of the former content.
    events_.RemoveStream(id);
    ports_.logger->Log(LogLevel::kInfo, id, "stream changed: restarting");
    Start(desired.at(id), std::move(old));
  }
  // Egress first: what an ingress stream of this request publishes finds its subscriber.
  for (const Direction direction : {Direction::kEgress, Direction::kIngress}) {
    for (const std::string& id : plan.start) {
      if (desired.at(id).direction == direction) Start(desired.at(id), StoppedRunner(id));
    }
  }
  streams_ = desired;
}

Runtime::Runner Runtime::StoppedRunner(const std::string& id) const {
  for (const Runner& runner : stopped_) {
    if (runner->stream().id == id) return runner;
  }
  return nullptr;
}

void Runtime::Start(const StreamSpec& stream, Runner predecessor) {
  events_.AddStream(stream.id);
  StreamRunner::Environment environment{ports_.transport, &events_, ports_.logger, ports_.clock, {}, {}, {}};
  environment.batch = {512, 1024 * 1024};
  environment.drain_timeout = options_.drain_timeout;
  runners_[stream.id] = std::make_shared<StreamRunner>(stream, connector_, environment, std::move(predecessor));
}

void Runtime::ReapStopped() {
  std::erase_if(stopped_, [](const Runner& runner) { return runner->ended(); });
}

std::vector<Runtime::StreamView> Runtime::Streams() const {
  MutexLock lock(mutex_);
  std::vector<StreamView> views;
  views.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) {
    const auto runner = runners_.find(id);
    views.push_back({stream, runner != runners_.end() && runner->second->subscribed(), false});
  }
  return views;
}

JsonMembers Runtime::Config() const {
  MutexLock lock(mutex_);
  return config_;
}

void Runtime::Shutdown() {
  std::vector<Runner> ending;
  std::shared_ptr<Connector> connector;
  {
    MutexLock lock(mutex_);
    for (auto& [id, runner] : runners_) ending.push_back(std::move(runner));
    runners_.clear();
    std::move(stopped_.begin(), stopped_.end(), std::back_inserter(ending));
    stopped_.clear();
    connector = std::move(connector_);
  }
  // Ingress first, so that what it has read still finds its egress stream when both are here.
  for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
    for (const Runner& runner : ending) {
      if (runner->stream().direction == direction) runner->RequestStop(StopMode::kDrain);
    }
    for (const Runner& runner : ending) {
      if (runner->stream().direction == direction) runner->Join();
    }
  }
}

}  // namespace kps
