#include "host/transport/nats_connection.h"

#include <algorithm>
#include <utility>

#include "host/core/backoff.h"
#include "host/transport/nats_publisher.h"
#include "host/transport/nats_subscription.h"
#include "host/transport/nats_url.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRoundTripRetry{20};
// An idle connection is tried as often as this, so that a server that hangs is found out.
constexpr milliseconds kHeartbeat{2000};
// Between two links; what libnats retries by itself has its own delays.
constexpr milliseconds kLinkRetryMax{2000};

}  // namespace

Result<std::shared_ptr<NatsConnection>> NatsConnection::Open(NatsOptions options, Logger* logger) {
  std::shared_ptr<NatsConnection> connection(new NatsConnection(std::move(options), logger));
  if (Error error = connection->ReplaceLink(); !error.ok()) return error;
  connection->thread_ = std::thread([self = connection.get()] { self->Run(); });
  return connection;
}

NatsConnection::NatsConnection(NatsOptions options, Logger* logger)
    : options_(std::move(options)), shown_url_(WithoutCredentials(options_.url)), logger_(logger) {
  reason_ = "no NATS server at " + shown_url_ + " yet";
}

NatsConnection::~NatsConnection() {
  std::shared_ptr<NatsLink> link;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    link = link_;
  }
  if (thread_.joinable()) thread_.join();
  if (link) link->Close();
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

void NatsConnection::OnLinkChanged(NatsLink* link) {
  const std::size_t max_payload = link->MaxPayload();
  MutexLock lock(mutex_);
  if (link_.get() != link) return;  // not yet, or not any more, the one that counts
  if (link->connected()) max_payload_ = max_payload;
  SetConnected(link->connected());
  for (NatsPublisher* publisher : publishers_) publisher->Notify();
  changed_.NotifyAll();
}

void NatsConnection::OnLinkError(const std::string& text) {
  MutexLock lock(mutex_);
  if (text == last_error_) return;  // once for each change
  last_error_ = text;
  logger_->Log(LogLevel::kWarn, "", "NATS: " + text);
}

void NatsConnection::OnReconnecting() {
  MutexLock lock(mutex_);
  for (const NatsPublisher* publisher : publishers_) {
    while (publisher->publishing()) std::this_thread::yield();  // libnats takes what it is given at once
  }
}

void NatsConnection::OnPublishRefused(const std::string& channel) {
  MutexLock lock(mutex_);
  for (NatsPublisher* publisher : publishers_) publisher->Refuse(channel);
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
  if (Error error = subscription->OpenOn(link()); !error.ok()) return error;
  subscriptions_.push_back(subscription);
  return {};
}

void NatsConnection::Remove(NatsSubscription* subscription) {
  MutexLock lock(subscriptions_mutex_);
  std::erase(subscriptions_, subscription);
}

void NatsConnection::WakeUp() {
  if (!idle_) return;
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

bool NatsConnection::AnyOutstanding() {
  return std::any_of(publishers_.begin(), publishers_.end(), [](NatsPublisher* p) { return p->HasOutstanding(); });
}

NatsConnection::Work NatsConnection::WaitForWork() {
  const auto heartbeat = steady_clock::now() + kHeartbeat;
  MutexLock lock(mutex_);
  // Idle is set before the look at the publishers, and they look at it after they publish: one of both sees the other.
  idle_ = true;
  Work work = Work::kNone;
  while (work == Work::kNone) {
    if (stopping_) {
      work = Work::kStop;
    } else if (link_->ended()) {
      work = Work::kReplaceLink;
    } else if (!connected_) {
      changed_.Wait(mutex_);
    } else if (AnyOutstanding() || !changed_.WaitUntil(mutex_, heartbeat)) {
      work = Work::kRoundTrip;
    }
  }
  idle_ = false;
  return work;
}

void NatsConnection::Run() {
  Backoff backoff(std::hash<std::string>()(options_.client_name), kLinkRetryMax);
  while (true) {
    milliseconds pause{0};
    switch (WaitForWork()) {
      case Work::kStop: return;
      case Work::kReplaceLink:
        ++connect_errors_;
        // The options were good for the first link, so an error is one of this moment.
        if (const Error error = ReplaceLink(); !error.ok()) OnLinkError(error.message());
        pause = backoff.Next();
        break;
      case Work::kRoundTrip:
        if (Confirm(link().get())) {
          backoff.Reset();
        } else {
          pause = kRoundTripRetry;
        }
        break;
      case Work::kNone: break;
    }
    const auto end = steady_clock::now() + pause;
    MutexLock lock(mutex_);
    while (!stopping_ && pause.count() > 0 && changed_.WaitUntil(mutex_, end)) {
    }
  }
}

bool NatsConnection::Confirm(NatsLink* link) {
  const std::uint64_t epoch = link->epoch();
  struct Waiting {
    NatsPublisher* publisher;
    std::uint64_t serial;
    std::uint64_t ticket;
  };
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    for (NatsPublisher* publisher : publishers_) {
      if (const std::uint64_t ticket = publisher->Outstanding(epoch)) {
        waiting.push_back({publisher, publisher->serial(), ticket});
      }
      publisher->Notify();
    }
  }
  const bool done = link->RoundTrip() && link->epoch() == epoch;
  MutexLock lock(mutex_);
  if (!done) return false;
  for (const auto& [publisher, serial, ticket] : waiting) {
    // It may have gone meanwhile, and another may live at its address.
    const bool there = std::find(publishers_.begin(), publishers_.end(), publisher) != publishers_.end();
    if (there && publisher->serial() == serial) publisher->MarkConfirmed(ticket);
  }
  return true;
}

Error NatsConnection::ReplaceLink() {
  const std::shared_ptr<NatsLink> old = link();
  MutexLock subscriptions_lock(subscriptions_mutex_);
  if (old) old->Close();
  const std::uint32_t serial = old ? old->serial() + 1 : 1;
  auto opened = NatsLink::Open(options_, serial, this);
  if (!opened.ok()) return opened.error();
  const std::shared_ptr<NatsLink>& link = opened.value();
  Error result;
  for (NatsSubscription* subscription : subscriptions_) {
    if (Error error = subscription->OpenOn(link); !error.ok()) result = std::move(error);
  }
  {
    MutexLock lock(mutex_);
    link_ = link;
  }
  OnLinkChanged(link.get());  // what it told before it counted
  return result;
}

}  // namespace kps
