// Another version of the plugin takes the place of the present one.
#include <utility>

#include "host/core/host_config.h"
#include "host/core/plugin_fit.h"
#include "host/core/runtime.h"

namespace kps {

Result<Runtime::Swapped> Runtime::Swap(std::shared_ptr<Plugin> plugin, std::chrono::milliseconds timeout,
                                       std::stop_token stop) {
  if (Error error = CheckStaticParameters(options_.static_json, plugin->descriptor()); !error.ok()) return error;
  auto rules = MakeRules(options_.connector_id, plugin->descriptor());
  if (!rules.ok()) return rules.error();
  auto next = std::make_shared<const Generation>(Generation{std::move(plugin), std::move(rules.value())});
  std::stop_source either;
  const auto give_up = [&either] { either.request_stop(); };
  const std::stop_callback asked(std::move(stop), give_up);
  const std::stop_callback ending(shutting_down_.get_token(), give_up);
  MutexLock lock(control_mutex_);
  return SwapTo(std::move(next), timeout, either.get_token());
}

std::string Runtime::PluginConfigJson() const { return ToJson(PluginConfig(reconciler_.Config())); }

Result<Runtime::Swapped> Runtime::SwapTo(std::shared_ptr<const Generation> next, std::chrono::milliseconds timeout,
                                         const std::stop_token& stop) {
  if (!connector_) return Error(Code::kUnavailable, "the host is shutting down");
  const PluginDescriptor& descriptor = next->plugin->descriptor();
  const std::string name = generation()->rules.plugin_name;
  if (descriptor.name != name) {
    return Error(Code::kFailedPrecondition, "it is the plugin " + descriptor.name + ", and this host runs " + name);
  }
  StreamMap streams;
  for (const StreamView& view : reconciler_.Streams()) streams.emplace(view.stream.id, view.stream);
  const JsonMembers config = reconciler_.Config();
  const SetPayloadCommand command = CommandFor(options_.connector_id, config, streams);
  if (const auto violations = Validate(command, next->rules, {}); !violations.empty()) {
    return Error(Code::kInvalidArgument, "it does not accept what is set: " + Told(violations.front(), command));
  }
  auto connector = connectors_.CreateWithin(timeout, stop, next->plugin, ToJson(PluginConfig(config)));
  if (!connector.ok()) {
    return Error(connector.error().code(), "it cannot create its connector: " + connector.error().message());
  }
  const std::uint64_t dropped = ledgers_.Dropped();
  auto moved = reconciler_.Swap(connector.value(), timeout, stop);
  if (!moved.ok()) return moved.error();
  ending_.LetGo(std::exchange(connector_, std::move(connector.value())));
  events_.KeepOrigin("", connector_->origin());
  discovery_.Use(descriptor.discovers ? connector_ : nullptr);
  Swapped swapped{generation()->plugin->descriptor().version, descriptor.version, std::move(moved.value().pauses),
                  std::move(moved.value().standing), ledgers_.Dropped() - dropped};
  MutexLock lock(generation_mutex_);
  generation_ = std::move(next);
  return swapped;
}

}  // namespace kps
