#include "host/transport/nats_connection.h"

#include <algorithm>
#include <utility>

#include "host/transport/nats_publisher.h"
#include "host/transport/nats_subscription.h"
#include "host/transport/nats_url.h"

namespace kps {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRoundTripRetry{20};
// An idle connection is tried as often as this, so that a server that hangs is found out.
constexpr milliseconds kHeartbeat{2000};
constexpr milliseconds kConnectRetryMax{1000};
// After a pause, a message has this long to arrive before the round trip that confirms it: the threads of that would
// take the processors from it. Under load nothing waits.
constexpr microseconds kPause{300};
constexpr microseconds kHeadStart{200};
// Under load, when nobody waits for a confirm: from one round trip to the next. Each costs all threads of the chain
// some wake-ups, and confirms all that was published before.
constexpr microseconds kUnhurried{1000};

}  // namespace

Result<std::shared_ptr<NatsConnection>> NatsConnection::Open(NatsOptions options, Logger* logger) {
  auto servers = SplitNatsUrls(options.url);
  if (!servers.ok()) return servers.error();
  std::shared_ptr<NatsConnection> made(new NatsConnection(std::move(options), std::move(servers.value()), logger));
  if (Error error = made->Connect(); error.code() == Code::kInvalidArgument) return error;
  made->thread_ = std::thread([self = made.get()] { self->Run(); });
  return made;
}

NatsConnection::NatsConnection(NatsOptions options, std::vector<std::string> servers, Logger* logger)
    : options_(std::move(options)),
      shown_url_(WithoutCredentials(options_.url)),
      servers_(std::move(servers)),
      logger_(logger),
      backoff_(std::hash<std::string>()(options_.client_name), kConnectRetryMax),
      chore_interval_(kHeartbeat) {
  reason_ = "no NATS server at " + shown_url_ + " yet";
}

NatsConnection::~NatsConnection() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  // While all that the link tells about is still there.
  std::shared_ptr<NatsLink> link;
  MutexLock lock(mutex_);
  std::swap(link_, link);
}

std::shared_ptr<NatsLink> NatsConnection::link() const {
  MutexLock lock(mutex_);
  return link_;
}

std::string NatsConnection::DisconnectReason() const {
  MutexLock lock(mutex_);
  return reason_;
}

TransportCounters NatsConnection::Counters() const {
  const std::uint64_t connects = connects_;
  return {connect_errors_, publish_errors_, connects == 0 ? 0 : connects - 1};
}

void NatsConnection::Watch(std::function<void(bool connected)> watcher) {
  MutexLock lock(mutex_);
  watcher_ = std::move(watcher);
  if (watcher_) watcher_(connected_);
}

void NatsConnection::SetConnected(bool connected) {
  if (connected_.exchange(connected) == connected) return;
  if (connected) {
    ++connects_;
    reason_.clear();
    last_error_.clear();
    logger_->Log(LogLevel::kInfo, "", "transport connected to " + shown_url_);
  } else {
    reason_ = "the connection to NATS at " + shown_url_ + " is lost" + (last_error_.empty() ? "" : ": " + last_error_);
    logger_->Log(LogLevel::kWarn, "", reason_ + "; reconnecting");
  }
  if (watcher_) watcher_(connected);
}

void NatsConnection::OnLinkEnded() {
  MutexLock lock(mutex_);
  if (!link_ || !link_->ended()) return;  // it was one that does not count
  SetConnected(false);
  for (NatsPublisher* publisher : publishers_) publisher->Notify();
  changed_.NotifyAll();
}

void NatsConnection::OnLinkError(const std::string& text) {
  MutexLock lock(mutex_);
  if (text == last_error_) return;  // once for each change
  last_error_ = text;
  logger_->Log(LogLevel::kWarn, "", "NATS: " + text);
}

void NatsConnection::OnRefused(const NatsRefusal& refusal) {
  const bool publish = refusal.of == NatsRefusal::Of::kPublish;
  const bool say = refusals_.Add(refusal, steady_clock::now());
  if (say) logger_->Log(LogLevel::kWarn, "", "NATS: " + refusal.words);
  if (!publish) return;
  MutexLock lock(mutex_);
  for (NatsPublisher* publisher : publishers_) publisher->Refuse(refusal.subject);
}

void NatsConnection::Add(NatsPublisher* publisher) {
  MutexLock lock(mutex_);
  publishers_.push_back(publisher);
}

void NatsConnection::Remove(NatsPublisher* publisher) {
  MutexLock lock(mutex_);
  std::erase(publishers_, publisher);
}

Error NatsConnection::Add(NatsSubscription* subscription) {
  MutexLock lock(subscriptions_mutex_);
  if (const auto link = this->link()) {
    if (Error error = subscription->OpenOn(link); !error.ok()) return error;
  }
  subscriptions_.push_back(subscription);
  return {};
}

void NatsConnection::Remove(NatsSubscription* subscription) {
  MutexLock lock(subscriptions_mutex_);
  std::erase(subscriptions_, subscription);
}

void NatsConnection::Add(Chore* chore) {
  MutexLock lock(chores_mutex_);
  chores_.push_back(chore);
}

void NatsConnection::DoChoresEvery(milliseconds interval) {
  MutexLock lock(mutex_);
  if (interval >= chore_interval_) return;
  chore_interval_ = interval;
  next_chores_ = std::min(next_chores_, steady_clock::now() + chore_interval_);
  changed_.NotifyAll();
}

void NatsConnection::Remove(Chore* chore) {
  MutexLock lock(chores_mutex_);
  std::erase(chores_, chore);
}

void NatsConnection::DoChores() {
  MutexLock lock(chores_mutex_);
  for (Chore* chore : chores_) chore->DoChore();
}

void NatsConnection::WakeUp() {
  if (!idle_) return;
  MutexLock lock(mutex_);
  const auto now = steady_clock::now();
  if (now - idle_since_ >= kPause) next_round_trip_ = now + kHeadStart;
  changed_.NotifyAll();
}

NatsConnection::Waiting::Waiting(NatsConnection* connection) : connection_(connection) {
  ++connection_->waiting_;
  if (!connection_->pausing_) return;
  MutexLock lock(connection_->mutex_);
  connection_->changed_.NotifyAll();
}

bool NatsConnection::AnyOutstanding() {
  return std::any_of(publishers_.begin(), publishers_.end(), [](NatsPublisher* p) { return p->HasOutstanding(); });
}

NatsConnection::Work NatsConnection::WaitForWork() {
  MutexLock lock(mutex_);
  idle_since_ = steady_clock::now();
  Work work = Work::kNone;
  while (work == Work::kNone) {
    // Set before the look at the publishers, and they look at it after they publish: one of both sees the other.
    idle_ = true;
    if (stopping_) {
      work = Work::kStop;
    } else if (!link_ || link_->ended()) {
      if (steady_clock::now() >= next_connect_ || !changed_.WaitUntil(mutex_, next_connect_)) work = Work::kConnect;
    } else if (steady_clock::now() >= next_chores_) {
      next_chores_ = steady_clock::now() + chore_interval_;
      work = Work::kChores;
    } else if (const auto now = steady_clock::now(); AnyOutstanding()) {
      idle_ = false;
      // Set before the look at who waits, and who waits looks at it: one of both sees the other.
      pausing_ = true;
      const auto due = waiting_ > 0 ? next_round_trip_ : std::max(next_round_trip_, unhurried_round_trip_);
      if (now >= due) {
        work = Work::kRoundTrip;
      } else {
        (void)changed_.WaitUntil(mutex_, due);
      }
      pausing_ = false;
    } else if (now >= next_heartbeat_) {
      work = Work::kRoundTrip;
    } else {
      (void)changed_.WaitUntil(mutex_, std::min(next_chores_, next_heartbeat_));
    }
  }
  idle_ = false;
  if (work == Work::kRoundTrip) {
    const auto now = steady_clock::now();
    next_heartbeat_ = now + kHeartbeat;
    unhurried_round_trip_ = now + kUnhurried;
  }
  return work;
}

bool NatsConnection::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void NatsConnection::PauseAfterFailure() {
  const auto end = steady_clock::now() + kRoundTripRetry;
  MutexLock lock(mutex_);
  while (!stopping_ && !link_->ended() && changed_.WaitUntil(mutex_, end)) {
  }
}

void NatsConnection::Run() {
  while (true) {
    switch (WaitForWork()) {
      case Work::kStop: return;
      case Work::kConnect: (void)Connect(); break;
      case Work::kRoundTrip:
        if (!Confirm(*link())) PauseAfterFailure();
        break;
      case Work::kChores: DoChores(); break;
      case Work::kNone: break;
    }
  }
}

Error NatsConnection::Connect() {
  // A server may take a connection and end it at once: only a round trip makes the next attempt come without a delay.
  next_connect_ = steady_clock::now() + backoff_.Next();
  Code code = Code::kUnavailable;
  std::string reasons;
  for (std::size_t tried = 0; tried < servers_.size() && !stopping(); ++tried) {
    auto link = NatsLink::Open(servers_[next_server_++ % servers_.size()], options_.client_name, ++links_, this);
    if (link.ok()) {
      TakeOver(std::move(link.value()));
      return {};
    }
    ++connect_errors_;
    if (link.error().code() == Code::kInvalidArgument) code = Code::kInvalidArgument;
    reasons += (reasons.empty() ? "" : "; ") + link.error().message();
  }
  MutexLock lock(mutex_);
  if (!reasons.empty() && reasons != reason_) {  // once for each change
    reason_ = reasons;
    logger_->Log(LogLevel::kWarn, "", reasons);
  }
  return Error(code, reasons);
}

bool NatsConnection::Confirm(NatsLink& link) {
  struct Waiting {
    NatsPublisher* publisher;
    std::uint64_t serial;
    std::uint64_t ticket;
  };
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    for (NatsPublisher* publisher : publishers_) {
      if (const std::uint64_t ticket = publisher->Outstanding(link)) {
        waiting.push_back({publisher, publisher->serial(), ticket});
      }
      publisher->Notify();
    }
  }
  if (!link.RoundTrip()) return false;
  backoff_.Reset();
  next_connect_ = {};
  MutexLock lock(mutex_);
  for (const auto& [publisher, serial, ticket] : waiting) {
    // It may have gone meanwhile, and another may live at its address.
    const bool there = std::find(publishers_.begin(), publishers_.end(), publisher) != publishers_.end();
    if (there && publisher->serial() == serial) publisher->MarkConfirmed(ticket);
  }
  return true;
}

void NatsConnection::TakeOver(std::shared_ptr<NatsLink> link) {
  MutexLock subscriptions_lock(subscriptions_mutex_);
  for (NatsSubscription* subscription : subscriptions_) {
    if (Error error = subscription->OpenOn(link); !error.ok()) OnLinkError(error.message());
  }
  max_payload_ = link->MaxPayload();
  next_heartbeat_ = steady_clock::now() + kHeartbeat;
  std::shared_ptr<NatsLink> former = std::move(link);  // released after mutex_
  MutexLock lock(mutex_);
  std::swap(link_, former);
  SetConnected(!link_->ended());
  for (NatsPublisher* publisher : publishers_) publisher->Notify();
  changed_.NotifyAll();
}

}  // namespace kps
