// The callers of a webhook that wait for their answer.
#ifndef KPS_PLUGINS_HTTP_WEBHOOK_WAITING_H
#define KPS_PLUGINS_HTTP_WEBHOOK_WAITING_H

#include <microhttpd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <kps/plugin.hpp>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kps::plugins {

// One request, from its head to its answer. The server owns it; what is said so is under the mutex of WebhookWaiting.
struct Caller {
  MHD_Connection* connection = nullptr;
  unsigned refusal = 0;    // the answer that its head, or its size, has brought; 0: none
  uint64_t discarded = 0;  // bytes of a body that is refused
  std::string body;
  bool entered = false;
  uint64_t charged = 0;  // under the mutex: bytes of body that count
  unsigned status = 0;   // under the mutex: its answer; 0: not known yet
};

// Each caller that is let in waits, its connection suspended, until its message is safe (200), until it has waited for
// too long, or until the stream ends (503). Messages are taken in the order in which they came, each once; one whose
// caller was told 503 before is not taken any more.
class WebhookWaiting {
 public:
  // `bytes_max`: of the bodies that are held, those still being received included.
  WebhookWaiting(size_t callers_max, uint64_t bytes_max, std::chrono::milliseconds answer_timeout);
  WebhookWaiting(const WebhookWaiting&) = delete;
  WebhookWaiting& operator=(const WebhookWaiting&) = delete;
  ~WebhookWaiting();

  // [server] More of its body. False: too much is held, or the stream ends.
  bool receive(Caller& caller, const char* data, size_t size);
  // [server] Its body is whole: suspends the connection. False: too many wait, or the stream ends.
  bool enter(Caller& caller);
  // [server] The answer of one whose connection goes on.
  unsigned status_of(const Caller& caller) const;
  // [server] Its connection is done with.
  void leave(Caller& caller);

  struct Taken {
    uint64_t number;
    std::string body;
  };
  // [stream] Adds messages while there is room, borrowed from `taken`, which is cleared first.
  void take(plugin::Batch& batch, std::vector<Taken>& taken);
  // [stream] That message is safe. Its caller may have been told otherwise meanwhile.
  void confirm(uint64_t number);
  // [stream] All that wait are told 503, and nobody is let in.
  void close();

  // Readable while there is something to take.
  int filled_fd() const { return filled_fd_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Caller* caller;
    Clock::time_point deadline;
  };
  using Entries = std::map<uint64_t, Entry>;

  void watch_deadlines();
  void answer(Entries::iterator entry, unsigned status);
  void discharge(Caller& caller);

  const size_t callers_max_;
  const uint64_t bytes_max_;
  const std::chrono::milliseconds answer_timeout_;
  const int filled_fd_;

  mutable std::mutex mutex_;
  // All under mutex_. Numbers ascend, and so do the deadlines, as all have the same time.
  std::condition_variable changed_;
  Entries waiting_;
  uint64_t next_number_ = 1;
  uint64_t next_taken_ = 1;  // those before have been taken
  uint64_t bytes_ = 0;
  bool closed_ = false;
  bool filled_ = false;  // filled_fd_ is readable
  std::thread deadlines_;
};

}  // namespace kps::plugins

#endif
