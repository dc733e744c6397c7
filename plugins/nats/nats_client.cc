#include "nats_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "start_thread.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

// For the first connection, and what begin asks over it.
constexpr milliseconds kStartMax{5000};
constexpr milliseconds kDelayMin{50};
constexpr milliseconds kDelayMax{1000};
// A connection is tried as often as this, so that a server that hangs is found out.
constexpr milliseconds kHeartbeat{2000};
// A server of which nothing is heard for longer hangs. Of one that is heard the answer is waited for longer each time.
constexpr milliseconds kSilenceMax{3000};
constexpr milliseconds kPatienceMax{12'000};

int new_eventfd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw plugin::errno_failure(errno, "make an eventfd");
  return fd;
}

}  // namespace

NatsClient::NatsClient(const plugin::Stream& stream, NatsBroker broker, Owner* owner)
    : name_("kps-connector, stream " + stream.id),
      wake_fd_(stream.wake_fd),
      broker_(std::move(broker)),
      owner_(owner),
      changed_fd_(new_eventfd()),
      delay_(kDelayMin),
      tend_interval_(kHeartbeat) {}

NatsClient::~NatsClient() {
  stop();
  ::close(changed_fd_);
}

void NatsClient::start() {
  thread_ = start_thread([this] { run(); });
  try {
    await_first();
  } catch (const Failure&) {
    stop();  // while the owner is still there
    throw;
  }
}

void NatsClient::await_first() {
  const auto deadline = Clock::now() + kStartMax;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (failure_) throw failure_->failure();
      if (connection_) return;
    }
    const bool woken = wait(deadline) == plugin::Wait::kWoken;
    if (woken || Clock::now() >= deadline) {
      throw Failure(KPS_UNAVAILABLE, "the broker " + broker_.shown + " has not answered yet");
    }
  }
}

void NatsClient::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_.notify_all();
    const Failure stopped(KPS_CANCELLED, "the stream is stopping");
    if (beginning_) beginning_->fail(stopped);
    if (connection_) connection_->fail(stopped);
  }
  if (thread_.joinable()) thread_.join();
  // Their threads call changed() until here.
  beginning_.reset();
  connection_.reset();
}

std::shared_ptr<NatsConnection> NatsClient::connection() {
  std::shared_ptr<NatsConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) throw failure_->failure();
    connection = connection_;
  }
  connection->check();
  return connection;
}

std::shared_ptr<NatsConnection> NatsClient::present() {
  const std::lock_guard lock(mutex_);
  return connection_ && !connection_->over() ? connection_ : nullptr;
}

void NatsClient::tend_every(milliseconds interval) {
  const std::lock_guard lock(mutex_);
  tend_interval_ = interval;
  next_tend_ = std::min(next_tend_, Clock::now() + interval);
  work_.notify_all();
}

uint64_t NatsClient::ask_round_trip() {
  const std::lock_guard lock(mutex_);
  work_.notify_all();
  return ++asked_;
}

bool NatsClient::answered(uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  return answered_ >= ticket;
}

plugin::Wait NatsClient::wait(Clock::time_point deadline) {
  const auto left = std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds(0));
  const plugin::Wait wait = plugin::wait_for(changed_fd_, POLLIN, wake_fd_, left);
  eventfd_t ignored = 0;
  (void)eventfd_read(changed_fd_, &ignored);
  has_changed_ = false;  // before the caller looks at what has
  return wait;
}

void NatsClient::changed() {
  if (!has_changed_.exchange(true)) (void)eventfd_write(changed_fd_, 1);
}

void NatsClient::run() {
  for (;;) {
    switch (await_work()) {
      case Work::kStop: return;
      case Work::kConnect: connect(); break;
      case Work::kRoundTrip: make_round_trip(); break;
      case Work::kTend: tend(); break;
    }
  }
}

NatsClient::Work NatsClient::await_work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopping_) return Work::kStop;
    if (!connection_ || connection_->over()) return Work::kConnect;
    const auto now = Clock::now();
    if (asked_ > handled_ || now >= next_heartbeat_) return Work::kRoundTrip;
    if (now >= next_tend_) {
      next_tend_ = now + tend_interval_;
      return Work::kTend;
    }
    work_.wait_until(lock, std::min(next_heartbeat_, next_tend_));
  }
}

void NatsClient::connect() {
  if (begun_ != Clock::time_point{}) {
    // After one that lasted, the next is made at once; not so after one that ended soon.
    const bool lasted = Clock::now() - std::exchange(begun_, {}) >= kHeartbeat;
    if (lasted) delay_ = kDelayMin;
    if (!lasted && pause()) return;
  }
  std::optional<NatsReason> failure;
  for (const NatsBroker::Server& server : broker_.servers) {
    try {
      if (begin_on(server)) return;
      break;  // stopping
    } catch (const Failure& caught) {
      failure.emplace(caught);
    } catch (const std::exception& caught) {
      failure.emplace(Failure(KPS_RESOURCE_EXHAUSTED, "connect to " + broker_.shown + ": " + caught.what()));
    }
    std::shared_ptr<NatsConnection> given_up;  // released without the lock, which its thread takes
    const std::lock_guard lock(mutex_);
    given_up = std::exchange(beginning_, nullptr);
    if (stopping_) return;
  }
  if (!failure) return;
  {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
  }
  changed();
  (void)pause();
}

bool NatsClient::begin_on(const NatsBroker::Server& server) {
  auto made = std::make_shared<NatsConnection>(broker_, server, name_, [this](bool over) {
    changed();
    if (!over) return;
    const std::lock_guard lock(mutex_);
    work_.notify_all();
  });
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    beginning_ = made;
  }
  owner_->begin(*made);
  std::shared_ptr<NatsConnection> former;  // released without the lock, which its thread takes
  {
    const std::lock_guard lock(mutex_);
    beginning_.reset();
    former = std::exchange(connection_, std::move(made));
    failure_.reset();
    next_heartbeat_ = Clock::now() + kHeartbeat;
    next_tend_ = Clock::now() + tend_interval_;
  }
  begun_ = Clock::now();
  changed();
  return true;
}

// Each longer than the one before. Whether the client is to stop.
bool NatsClient::pause() {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, delay_, [this] { return stopping_; });
  delay_ = std::min(delay_ * 2, kDelayMax);
  return stopping_;
}

void NatsClient::tend() {
  try {
    owner_->tend(*connection_);
  } catch (const Failure& caught) {
    connection_->fail(caught);
  } catch (const std::exception& caught) {
    connection_->fail(Failure(KPS_RESOURCE_EXHAUSTED, broker_.shown + ": " + caught.what()));
  }
}

void NatsClient::make_round_trip() {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<NatsConnection> connection = connection_;
  const uint64_t asked = asked_;
  lock.unlock();
  bool made = false;
  try {
    milliseconds patience = kSilenceMax;
    for (Clock::time_point begun{}; !made && connection->heard_since(begun);) {
      begun = Clock::now();
      made = connection->round_trip(patience);
      patience = std::min(2 * patience, kPatienceMax);
    }
    if (!made) {
      connection->fail(Failure(KPS_UNAVAILABLE, "the broker " + broker_.shown + " does not answer"));
    }
  } catch (const Failure&) {
    // What was refused, or why the connection has ended, it tells itself.
  }
  lock.lock();
  next_heartbeat_ = Clock::now() + kHeartbeat;
  handled_ = asked;
  if (made) answered_ = asked;
  lock.unlock();
  changed();
}

}  // namespace kps::plugins
