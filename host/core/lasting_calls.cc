#include "host/core/lasting_calls.h"

#include <algorithm>
#include <utility>

#include "host/core/host_events.h"
#include "host/core/json.h"
#include "host/core/stream_events.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::string Told(const PluginCall& call) { return std::string(call.function) + " of the plugin does not return"; }

}  // namespace

LastingCalls::LastingCalls(const PluginCalls* calls, const Clock* clock, milliseconds told_beyond)
    : calls_(calls), told_beyond_(told_beyond), epoch_ns_(clock->NowNs() - nanoseconds(PluginCalls::Now()).count()) {}

std::vector<PluginCall> LastingCalls::Of(const std::vector<StreamView>& desired) const {
  std::vector<PluginCall> calls = calls_->Overdue();
  if (calls.empty()) return calls;
  std::set<std::string> untold{""};
  for (const StreamView& view : desired) untold.insert(view.stream.id);
  std::erase_if(
      calls, [&](const PluginCall& call) { return call.beyond < told_beyond_ || untold.erase(call.stream_id) == 0; });
  return calls;
}

void LastingCalls::AddTo(std::vector<Event>* events, const std::vector<StreamView>& desired) const {
  for (const PluginCall& call : Of(desired)) {
    const std::int64_t since = epoch_ns_ + nanoseconds(call.entered_at).count();
    const std::string told = Told(call);
    events->push_back(MakeEvent(kPluginCallLasts, call.stream_id, JsonOfStrings({{kErrorMessageKey, told}})));
    events->back().created_at_ns = since;
    const auto view = std::find_if(desired.begin(), desired.end(),
                                   [&](const StreamView& each) { return each.stream.id == call.stream_id; });
    if (view == desired.end()) continue;  // about the connector
    const auto is = [&](const KnownEvent& known) {
      return [&](const Event& event) {
        return event.stream_id == call.stream_id && event.kind == known.kind && event.id == known.id;
      };
    };
    std::erase_if(*events, is(kStreamHealthy));
    if (std::any_of(events->begin(), events->end(), is(kStreamUnhealthy))) continue;  // for a reason of its own
    events->push_back(MakeEvent(kStreamUnhealthy, call.stream_id, StreamMetadata(view->stream, told)));
    events->back().created_at_ns = since;
  }
}

void LastingCalls::ShowIn(std::vector<StreamView>* desired) const {
  for (const PluginCall& call : Of(*desired)) {
    for (StreamView& view : *desired) view.subscribed = view.subscribed && view.stream.id != call.stream_id;
  }
}

void LastingCalls::LogChanges(Logger* logger, const std::vector<StreamView>& desired) {
  std::set<std::string> now;
  MutexLock lock(mutex_);
  for (const PluginCall& call : Of(desired)) {
    now.insert(call.stream_id);
    if (!logged_.contains(call.stream_id)) logger->Log(LogLevel::kWarn, call.stream_id, Told(call));
  }
  for (const std::string& stream_id : logged_) {
    if (!now.contains(stream_id)) logger->Log(LogLevel::kInfo, stream_id, "the plugin has returned");
  }
  logged_ = std::move(now);
}

}  // namespace kps
