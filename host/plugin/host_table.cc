#include "host/plugin/host_table.h"

#include <kps/version.h>

#include <algorithm>

#include "host/core/json.h"
#include "host/plugin/text.h"

namespace kps {
namespace {

template <typename Enum>
Enum Clamped(int32_t value, Enum first, Enum last) {
  return static_cast<Enum>(std::clamp(value, static_cast<int32_t>(first), static_cast<int32_t>(last)));
}

Event MakeEvent(EventKind kind, kps_str stream_id, kps_str id, kps_str message, int32_t state, kps_str metadata_json) {
  Event event;
  event.kind = kind;
  event.id = CopyText(id);
  event.stream_id = CopyText(stream_id);
  event.message = CopyText(message);
  event.state = Clamped(state, State::kUnspecified, State::kUnhealthy);
  // Metadata that is no object would make the whole answer unreadable.
  if (auto object = ParseJsonObject(View(metadata_json)); object.ok()) event.metadata_json = ToJson(object.value());
  return event;
}

}  // namespace

HostTable::HostTable(HostServices* services)
    : services_(services), table_{sizeof(kps_host), KPS_ABI_VERSION, this,     Log,       RaiseAlert,
                                  SetStatus,        CounterAdd,      GaugeSet, ShouldStop} {}

void HostTable::SetStopping(const std::string& stream_id, bool stopping) {
  MutexLock lock(mutex_);
  stopping_[stream_id] = stopping;
}

void HostTable::Forget(const std::string& stream_id) {
  MutexLock lock(mutex_);
  stopping_.erase(stream_id);
}

void HostTable::Log(void* context, int32_t level, kps_str stream_id, kps_str text) {
  static_cast<HostTable*>(context)->services_->Log(Clamped(level, LogLevel::kDebug, LogLevel::kError),
                                                   CopyText(stream_id), CopyText(text));
}

void HostTable::RaiseAlert(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t severity,
                           int32_t state, kps_str metadata_json) {
  Event event = MakeEvent(EventKind::kAlert, stream_id, id, message, state, metadata_json);
  event.severity = Clamped(severity, Severity::kUnspecified, Severity::kCritical);
  static_cast<HostTable*>(context)->services_->Raise(std::move(event));
}

void HostTable::SetStatus(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t state,
                          kps_str metadata_json) {
  static_cast<HostTable*>(context)->services_->Raise(
      MakeEvent(EventKind::kStatus, stream_id, id, message, state, metadata_json));
}

void HostTable::CounterAdd(void* context, kps_str stream_id, kps_str name, uint64_t increment) {
  static_cast<HostTable*>(context)->services_->CounterAdd(CopyText(stream_id), View(name), increment);
}

void HostTable::GaugeSet(void* context, kps_str stream_id, kps_str name, double value) {
  static_cast<HostTable*>(context)->services_->GaugeSet(CopyText(stream_id), View(name), value);
}

int32_t HostTable::ShouldStop(void* context, kps_str stream_id) {
  auto* table = static_cast<HostTable*>(context);
  MutexLock lock(table->mutex_);
  const auto entry = table->stopping_.find(std::string(View(stream_id)));
  return entry != table->stopping_.end() && entry->second ? 1 : 0;
}

}  // namespace kps
