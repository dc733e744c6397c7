#include "host/core/discovery.h"

#include <system_error>
#include <utility>

#include "host/core/host_events.h"
#include "host/core/json.h"

namespace kps {

using std::chrono::steady_clock;

Discovery::Discovery(EventStore* events, Logger* logger, Times times)
    : events_(events), logger_(logger), times_(times) {}

void Discovery::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  Use(nullptr);
}

void Discovery::Use(std::shared_ptr<Connector> connector) {
  if (connector && !thread_.joinable()) {
    try {
      thread_ = std::thread([this] { Run(); });
    } catch (const std::system_error& error) {
      logger_->Log(LogLevel::kError, "",
                   std::string("streams are not discovered, for want of a thread: ") + error.what());
      connector = nullptr;
    }
  }
  if (!connector) events_->Clear(kDiscoveryFailed.kind, std::string(kDiscoveryFailed.id), "");
  MutexLock lock(mutex_);
  connector_.swap(connector);
  fresh_until_ = Time();
  if (!connector_) known_ = std::make_shared<const StreamMap>();
}

std::shared_ptr<const Discovery::StreamMap> Discovery::Streams() {
  MutexLock lock(mutex_);
  if (!connector_ || steady_clock::now() < fresh_until_) return known_;
  if (!wanted_) {
    wanted_ = true;
    asked_at_ = steady_clock::now();
    changed_.NotifyAll();
  }
  // One deadline for all who wait: a plugin that hangs makes no call wait that comes later.
  const Time deadline = asked_at_ + times_.wait;
  const std::uint64_t answers = answers_;
  while (!stopping_ && answers_ == answers) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  return known_;
}

Error Discovery::Pause() {
  MutexLock lock(mutex_);
  paused_ = true;
  const Time overdue_at = called_at_ + times_.timeout + times_.grace;
  while (calling_) {
    if (changed_.WaitUntil(mutex_, overdue_at)) continue;
    if (!calling_) break;
    paused_ = false;
    const auto lasts = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - called_at_);
    return Error(Code::kUnavailable, "the plugin has not come back from discover for " + std::to_string(lasts.count()) +
                                         " s, and is called by one at a time");
  }
  return {};
}

void Discovery::Resume() {
  MutexLock lock(mutex_);
  paused_ = false;
  changed_.NotifyAll();
}

void Discovery::Run() {
  for (;;) {
    std::shared_ptr<Connector> connector;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (!wanted_ || paused_)) changed_.Wait(mutex_);
      if (stopping_) return;
      connector = connector_;
      calling_ = true;
      called_at_ = steady_clock::now();
    }
    if (connector) Ask(connector.get());
    MutexLock lock(mutex_);
    calling_ = false;
    wanted_ = false;
    ++answers_;
    // An answer of a connector that was replaced meanwhile is better than none, but not fresh.
    if (connector == connector_) fresh_until_ = steady_clock::now() + times_.fresh;
    changed_.NotifyAll();
  }
}

void Discovery::Ask(Connector* connector) {
  auto found = connector->Discover(times_.timeout);
  if (!found.ok()) {
    const std::string reason = found.error().ToString();
    events_->Put(MakeEvent(kDiscoveryFailed, "", JsonOfStrings({{kErrorMessageKey, reason}})));
    logger_->Log(LogLevel::kWarn, "", "cannot discover streams: " + reason);
    return;
  }
  events_->Clear(kDiscoveryFailed.kind, std::string(kDiscoveryFailed.id), "");
  ReportSkipped(found.value());
  auto known = std::make_shared<StreamMap>();
  for (StreamSpec& stream : found.value().streams) {
    if (known->size() == Discovered::kStreamsMax) break;
    known->emplace(stream.id, std::move(stream));
  }
  MutexLock lock(mutex_);
  if (connector_) known_ = std::move(known);
}

// Once for each number: a plugin that is asked every few seconds would fill the log.
void Discovery::ReportSkipped(const Discovered& found) {
  if (found.skipped == skipped_) return;
  skipped_ = found.skipped;
  if (skipped_ == 0) return;
  logger_->Log(LogLevel::kWarn, "",
               "discovery: " + std::to_string(skipped_) + " streams were skipped; the first " + found.skipped_reason);
}

}  // namespace kps
