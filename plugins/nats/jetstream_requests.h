// How many messages a consumer has asked for that have not come yet, and when to ask for more.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_REQUESTS_H
#define KPS_PLUGINS_NATS_JETSTREAM_REQUESTS_H

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace kps::plugins {

class JetStreamRequests {
 public:
  using Clock = std::chrono::steady_clock;
  // 0: no limit of the server's.
  struct Limits {
    uint64_t batch_max = 0;
    uint64_t bytes_max = 0;
    uint64_t expires_max_ns = 0;
    uint64_t payload_max = 0;  // no message is larger
  };

  // A new connection: nothing is asked for.
  void begin(const Limits& limits);
  // The text of a request to make now; nothing: what is asked for is enough, or there is no room for more.
  std::optional<std::string> next(uint64_t waiting, uint64_t waiting_bytes, Clock::time_point now);
  // When next() is worth another call though nothing has come.
  Clock::time_point due(Clock::time_point now) const {
    return not_before_ > now ? not_before_ : Clock::time_point::max();
  }
  // A message has come.
  void came(uint64_t bytes);
  // The server has ended the oldest request. `refused`: not because its time was over.
  void ended(bool refused, Clock::time_point now);

 private:
  struct Request {
    uint64_t messages;
    uint64_t bytes;
    Clock::time_point until;
  };

  Limits limits_;
  std::deque<Request> open_;
  uint64_t messages_ = 0;  // of open_
  uint64_t bytes_ = 0;
  Clock::time_point not_before_{};
};

}  // namespace kps::plugins

#endif
