#include "host/core/stream_events.h"

#include "host/core/json.h"

namespace kps {

std::string StreamMetadata(const StreamSpec& stream, const std::string& reason) {
  return ToJson({{std::string(kErrorMessageKey), JsonString(reason)},
                 {std::string(kStreamIdKey), JsonString(stream.id)},
                 {std::string(kExtraMessageKey),
                  JsonOfStrings({{"channel", stream.channel}, {"direction", DirectionName(stream.direction)}})}});
}

void StreamEvents::WaitsForFormerRun(const std::string& reason) {
  if (reason == reason_) return;
  if (reason_.empty()) Log(LogLevel::kWarn, reason);
  reason_ = reason;
  Event event = MakeEvent(kStreamUnhealthy, stream_->id, StreamMetadata(*stream_, reason));
  MutexLock lock(mutex_);
  if (!closed_) events_->Put(std::move(event));
}

void StreamEvents::Open() {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    open_ = true;
    events_->AddStream(stream_->id);
  }
  if (reason_.empty()) return;
  reason_.clear();
  Clear(kStreamUnhealthy);
}

void StreamEvents::Close() {
  MutexLock lock(mutex_);
  open_ = false;
  closed_ = true;
}

void StreamEvents::Started() {
  if (health_ == Health::kFailed) health_ = Health::kUnhealthy;  // until it proves to be healthy
  Raise(kStreamStarted, "");
  {
    MutexLock lock(mutex_);
    if (closed_) return;
  }
  Log(LogLevel::kInfo,
      std::string(DirectionName(stream_->direction)) + " stream started on channel " + stream_->channel);
}

bool StreamEvents::Healthy() {
  if (health_ == Health::kHealthy) return false;
  if (health_ != Health::kUnknown) Log(LogLevel::kInfo, "stream is healthy again");
  health_ = Health::kHealthy;
  reason_.clear();
  Clear(kStreamUnhealthy);
  Clear(kStreamFailed);
  Raise(kStreamHealthy, "");
  return true;
}

void StreamEvents::Unhealthy(const std::string& reason) {
  if (health_ == Health::kUnhealthy && reason_ == reason) return;
  health_ = Health::kUnhealthy;
  reason_ = reason;
  Clear(kStreamHealthy);
  Clear(kStreamFailed);
  Raise(kStreamUnhealthy, reason);
  Log(LogLevel::kWarn, reason + "; trying again");
}

void StreamEvents::Failed(const std::string& reason) {
  health_ = Health::kFailed;
  reason_ = reason;
  Clear(kStreamHealthy);
  Raise(kStreamUnhealthy, reason);
  Raise(kStreamFailed, reason);
  Log(LogLevel::kError, reason + "; waiting for the next SetPayload");
}

void StreamEvents::Raise(const KnownEvent& type, const std::string& reason) {
  Event event = MakeEvent(type, stream_->id, StreamMetadata(*stream_, reason));
  MutexLock lock(mutex_);
  if (open_) events_->Put(std::move(event));
}

void StreamEvents::Tell(const KnownEvent& type, const std::string& message) {
  Event event = MakeEvent(type, stream_->id, StreamMetadata(*stream_, ""));
  event.message = message;
  MutexLock lock(mutex_);
  if (open_) events_->Put(std::move(event));
}

void StreamEvents::Clear(const KnownEvent& type) {
  MutexLock lock(mutex_);
  if (open_) events_->Clear(type.kind, std::string(type.id), stream_->id);
}

void StreamEvents::Log(LogLevel level, const std::string& text) { logger_->Log(level, stream_->id, text); }

}  // namespace kps
