#include "host/core/runtime.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "host/core/host_config.h"
#include "host/core/host_events.h"
#include "host/core/plugin_fit.h"

namespace kps {

namespace {

StreamEnvironment MakeEnvironment(const Runtime::Options& options, const Runtime::Ports& ports, EventStore* events,
                                  Ledgers* ledgers, PluginCalls* calls, EndingThreads* ending) {
  return {.transport = ports.transport,
          .events = events,
          .logger = ports.logger,
          .clock = ports.clock,
          .state = ports.state,
          .ledgers = ledgers,
          .calls = calls,
          .ending = ending,
          .window = options.window,
          .policy = options.policy,
          .drain_timeout = options.drain_timeout};
}

Runtime::SetOutcome Refused(Code code, std::vector<Violation> violations) {
  Error error(code, violations.front().field + " " + violations.front().description);
  return {std::move(error), std::move(violations)};
}

StreamMap StreamsOf(const SetPayloadCommand& command) {
  StreamMap desired;
  for (const auto& payload : command.payloads) {
    if (const auto* stream = std::get_if<StreamSpec>(&payload)) desired.emplace(stream->id, *stream);
  }
  return desired;
}

// The plugin sees the config as a whole; the violation stands at the last payload that changed it. Whatever the
// plugin's code is, the caller learns whether another try of the same may help.
Runtime::SetOutcome RefusedConfig(const SetPayloadCommand& command, const std::string& plugin_name,
                                  const Error& error) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < command.payloads.size(); ++i) {
    if (std::holds_alternative<ConfigPatch>(command.payloads[i])) last = i;
  }
  const char* const refuses = error.transient() ? "cannot be taken now by the plugin " : "is refused by the plugin ";
  return Refused(
      error.transient() ? Code::kUnavailable : Code::kInvalidArgument,
      {{"payloads[" + std::to_string(last) + "].config.metadata", refuses + plugin_name + ": " + error.ToString()}});
}

std::string ChangedKeys(const JsonMembers& from, const JsonMembers& to) {
  std::string keys;
  for (const auto& [key, value] : to) {
    const auto known = from.find(key);
    if (known == from.end() || known->second != value) keys += (keys.empty() ? "" : ", ") + JsonString(key);
  }
  return keys;
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::Create(Options options, Ports ports) {
  const PluginDescriptor descriptor = ports.plugin->descriptor();
  if (Error error = CheckStaticParameters(options.static_json, descriptor); !error.ok()) return error;
  auto rules = MakeRules(options.connector_id, descriptor);
  if (!rules.ok()) return rules.error();
  auto generation = std::make_shared<const Generation>(Generation{std::move(ports.plugin), std::move(rules.value())});
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(options), std::move(ports), std::move(generation)));
  auto connector = runtime->connectors_.Create(runtime->generation()->plugin, "{}");
  if (!connector.ok()) {
    return Error(connector.error().code(),
                 "plugin " + descriptor.name + " cannot create its connector: " + connector.error().message());
  }
  MutexLock lock(runtime->control_mutex_);
  runtime->connector_ = std::move(connector.value());
  runtime->reconciler_.Apply({}, {}, runtime->connector_, Waiting::kFailed);
  if (descriptor.discovers) runtime->discovery_.Use(runtime->connector_);
  if (Error error = runtime->Restore(); !error.ok()) return error;
  return runtime;
}

Runtime::Runtime(Options options, Ports ports, std::shared_ptr<const Generation> generation)
    : options_(std::move(options)),
      ports_(std::move(ports)),
      events_(ports_.clock),
      connectors_(options_.static_json, {ports_.logger, &events_, &metrics_, &calls_, &ending_}),
      reconciler_(MakeEnvironment(options_, ports_, &events_, &ledgers_, &calls_, &ending_), &metrics_),
      discovery_(&events_, ports_.logger),
      lasting_(&calls_, ports_.clock, options_.told_beyond),
      generation_(std::move(generation)) {}

Runtime::~Runtime() { Shutdown(); }

std::shared_ptr<const Runtime::Generation> Runtime::generation() const {
  MutexLock lock(generation_mutex_);
  return generation_;
}

std::vector<Violation> Runtime::CheckId(const std::string& connector_id) const {
  return CheckConnectorId(connector_id, options_.connector_id);
}

Runtime::SetOutcome Runtime::SetPayload(const SetPayloadCommand& command) {
  MutexLock lock(control_mutex_);
  SetOutcome outcome = Set(command);
  if (!outcome.error.ok()) {
    const std::size_t more = outcome.violations.empty() ? 0 : outcome.violations.size() - 1;
    ports_.logger->Log(LogLevel::kWarn, "",
                       "SetPayload refused: " + outcome.error.ToString() +
                           (more > 0 ? "; and " + std::to_string(more) + " more violations" : ""));
  }
  return outcome;
}

Runtime::SetOutcome Runtime::Set(const SetPayloadCommand& command) {
  if (!connector_) return {Error(Code::kUnavailable, "the host is shutting down"), {}};
  Prepared prepared;
  if (SetOutcome refused = Prepare(command, &prepared); !refused.error.ok()) return refused;
  if (Error error = Save(prepared); !error.ok()) return {std::move(error), {}};
  if (const std::string keys = ChangedKeys(reconciler_.Config(), prepared.config); !keys.empty()) {
    ports_.logger->Log(LogLevel::kInfo, "", "config changed: " + keys);
  }
  Commit(std::move(prepared));
  Clear(kStateRefused);
  return {};
}

Runtime::SetOutcome Runtime::Prepare(const SetPayloadCommand& command, Prepared* prepared) {
  const JsonMembers present = reconciler_.Config();
  auto violations = Validate(command, generation()->rules, present);
  if (!violations.empty()) return Refused(Code::kInvalidArgument, std::move(violations));

  auto change = reconciler_.Prepare(StreamsOf(command));
  if (!change.ok()) return {change.error(), {}};
  prepared->change = std::move(change.value());
  prepared->config = MergedConfig(command, present);
  prepared->connector = connector_;
  const JsonMembers plugin_config = PluginConfig(prepared->config);
  prepared->plugin_config_changed = plugin_config != PluginConfig(present);
  if (!prepared->plugin_config_changed) return {};
  auto configured = Configured(plugin_config);
  if (!configured.ok()) {
    return RefusedConfig(command, generation()->rules.plugin_name, configured.error());
  }
  prepared->connector = std::move(configured.value());
  return {};
}

Error Runtime::Save(const Prepared& prepared) {
  if (ports_.state == nullptr) return {};
  const Error error = ports_.state->SaveDesired(prepared.change.desired, prepared.config);
  if (error.ok()) return {};
  // The plugin goes back to what stays in force. It took that config before.
  if (prepared.plugin_config_changed && prepared.connector == connector_) {
    (void)CallConfigure(ToJson(PluginConfig(reconciler_.Config())));
  }
  return Error(Code::kUnavailable, "nothing was changed, as the desired state cannot be saved: " + error.message());
}

void Runtime::Commit(Prepared prepared) {
  if (const auto level = prepared.config.find(kLogLevelKey); level != prepared.config.end()) {
    ports_.logger->SetLevel(ParseLogLevel(level->second).value());  // it has been validated
  }
  connector_ = std::move(prepared.connector);
  // Another config may be what a stream that is away has waited for.
  const Waiting try_again = prepared.plugin_config_changed ? Waiting::kAll : Waiting::kFailed;
  reconciler_.Apply(std::move(prepared.change), std::move(prepared.config), connector_, try_again);
  if (prepared.plugin_config_changed && Descriptor().discovers) discovery_.Use(connector_);
}

Error Runtime::Restore() {
  if (ports_.state == nullptr) return {};
  SavedState saved;
  Error loaded = ports_.state->Load(&saved);
  if (!loaded.ok() && loaded.code() != Code::kDataLoss) return loaded;
  const auto raise = [&](const KnownEvent& type, const std::string& reason) {
    ports_.logger->Log(LogLevel::kError, "", reason);
    Raise(type, reason);
  };
  if (!loaded.ok()) raise(kStateDamaged, loaded.message());
  if (saved.streams.empty() && saved.config.empty()) return {};

  const SetPayloadCommand command = CommandFor(options_.connector_id, saved.config, saved.streams);
  Prepared prepared;
  if (const SetOutcome refused = Prepare(command, &prepared); !refused.error.ok()) {
    // Another plugin, or another version of it. What is saved stays until the next SetPayload.
    const std::string reason =
        refused.violations.empty() ? refused.error.message() : Told(refused.violations.front(), command);
    raise(kStateRefused, "the saved streams and config are not started: " + reason);
    return {};
  }
  ports_.logger->Log(LogLevel::kInfo, "",
                     "going on with the saved state: " + std::to_string(saved.streams.size()) + " streams");
  reconciler_.Resume(std::move(saved.resume_points));
  Commit(std::move(prepared));
  return {};
}

void Runtime::Raise(const KnownEvent& type, const std::string& reason) {
  events_.Put(MakeEvent(type, "", JsonOfStrings({{kErrorMessageKey, reason}})));
}

void Runtime::Tell(const KnownEvent& type, const std::vector<std::pair<std::string_view, std::string_view>>& metadata) {
  events_.Put(MakeEvent(type, "", JsonOfStrings(metadata)));
}

void Runtime::Clear(const KnownEvent& type) { events_.Clear(type.kind, std::string(type.id), ""); }

void Runtime::ReportStateStore(const Error& error) {
  if (error.ok()) {
    ports_.logger->Log(LogLevel::kInfo, "", "the state is saved again");
    return Clear(kStateNotSaved);
  }
  ports_.logger->Log(LogLevel::kError, "", "the state cannot be saved: " + error.message());
  Raise(kStateNotSaved, error.message());
}

Result<std::shared_ptr<Connector>> Runtime::Configured(const JsonMembers& config) {
  const std::string json = ToJson(config);
  const auto outcome = CallConfigure(json);
  if (!outcome.ok()) return outcome.error();
  if (outcome.value() == ConfigureOutcome::kApplied) return connector_;
  return connectors_.Create(generation()->plugin, json);
}

Result<ConfigureOutcome> Runtime::CallConfigure(const std::string& config_json) {
  if (Error error = discovery_.Pause(); !error.ok()) return error;
  auto outcome = connector_->Configure(config_json);
  discovery_.Resume();
  return outcome;
}

std::vector<Event> Runtime::Events() const {
  std::vector<Event> events = events_.List();
  if (!calls_.Overdue().empty()) lasting_.AddTo(&events, reconciler_.Streams());
  const auto key = [](const Event& event) { return std::tie(event.stream_id, event.kind, event.id); };
  std::sort(events.begin(), events.end(), [&](const Event& a, const Event& b) { return key(a) < key(b); });
  return events;
}

std::vector<StreamView> Runtime::DesiredStreams() const {
  std::vector<StreamView> views = reconciler_.Streams();
  lasting_.ShowIn(&views);
  return views;
}

std::vector<StreamView> Runtime::Streams() const {
  // Asked before the desired streams are looked at: what is true then is what is answered.
  const auto discovered = discovery_.Streams();
  std::vector<StreamView> views = DesiredStreams();
  std::set<std::string> desired;
  for (const StreamView& view : views) desired.insert(view.stream.id);
  for (const auto& [id, stream] : *discovered) {
    if (!desired.contains(id)) views.push_back({stream, false, true});
  }
  return views;
}

void Runtime::Shutdown() {
  shutting_down_.request_stop();
  {
    MutexLock lock(control_mutex_);
    connector_ = nullptr;
  }
  reconciler_.Shutdown();
  discovery_.Stop();
  ending_.AwaitAll();
}

}  // namespace kps
