#include "webhook_waiting.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace kps::plugins {
namespace {

int new_eventfd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw plugin::errno_failure(errno, "eventfd");
  return fd;
}

}  // namespace

WebhookWaiting::WebhookWaiting(size_t callers_max, uint64_t bytes_max, std::chrono::milliseconds answer_timeout)
    : callers_max_(callers_max),
      bytes_max_(bytes_max),
      answer_timeout_(answer_timeout),
      filled_fd_(new_eventfd()),
      deadlines_([this] { watch_deadlines(); }) {}

WebhookWaiting::~WebhookWaiting() {
  close();
  deadlines_.join();
  ::close(filled_fd_);
}

bool WebhookWaiting::receive(Caller& caller, const char* data, size_t size) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || size > bytes_max_ - bytes_) return false;
    bytes_ += size;
    caller.charged += size;
  }
  caller.body.append(data, size);
  return true;
}

bool WebhookWaiting::enter(Caller& caller) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || waiting_.size() >= callers_max_) return false;
  // Under the mutex, so that nobody resumes it before.
  MHD_suspend_connection(caller.connection);
  caller.entered = true;
  waiting_.emplace(next_number_++, Entry{&caller, Clock::now() + answer_timeout_});
  if (!std::exchange(filled_, true)) ::eventfd_write(filled_fd_, 1);
  if (waiting_.size() == 1) changed_.notify_one();
  return true;
}

unsigned WebhookWaiting::status_of(const Caller& caller) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return caller.status;
}

void WebhookWaiting::leave(Caller& caller) {
  const std::lock_guard<std::mutex> lock(mutex_);
  discharge(caller);
}

void WebhookWaiting::discharge(Caller& caller) { bytes_ -= std::exchange(caller.charged, 0); }

void WebhookWaiting::take(plugin::Batch& batch, std::vector<Taken>& taken) {
  taken.clear();
  // Short strings hold their bytes themselves: the batch borrows them, so they must not move.
  taken.reserve(std::min<size_t>(callers_max_, batch.messages_max()));
  const std::lock_guard<std::mutex> lock(mutex_);
  auto next = waiting_.lower_bound(next_taken_);
  for (; next != waiting_.end() && batch.has_room(next->second.caller->body.size()); ++next) {
    Caller& caller = *next->second.caller;
    discharge(caller);
    taken.push_back({next->first, std::move(caller.body)});
    next_taken_ = next->first + 1;
    batch.add_borrowed(taken.back().body.data(), taken.back().body.size());
  }
  if (next == waiting_.end()) {
    eventfd_t count = 0;
    ::eventfd_read(filled_fd_, &count);
    filled_ = false;
  }
}

void WebhookWaiting::confirm(uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = waiting_.find(number);
  if (entry != waiting_.end()) answer(entry, MHD_HTTP_OK);
}

void WebhookWaiting::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  while (!waiting_.empty()) answer(waiting_.begin(), MHD_HTTP_SERVICE_UNAVAILABLE);
  changed_.notify_one();
}

void WebhookWaiting::answer(Entries::iterator entry, unsigned status) {
  Caller& caller = *entry->second.caller;
  caller.status = status;
  discharge(caller);
  waiting_.erase(entry);
  MHD_resume_connection(caller.connection);
}

void WebhookWaiting::watch_deadlines() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closed_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
    } else if (const auto oldest = waiting_.begin(); Clock::now() >= oldest->second.deadline) {
      answer(oldest, MHD_HTTP_SERVICE_UNAVAILABLE);
    } else {
      const Clock::time_point deadline = oldest->second.deadline;
      changed_.wait_until(lock, deadline);
    }
  }
}

}  // namespace kps::plugins
