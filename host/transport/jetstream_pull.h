// What a pull consumer was asked for, and what of that has not come. Internal to host/transport. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "host/transport/jetstream_binding.h"

typedef struct __natsMsg natsMsg;

namespace kps {

class JetStreamPull {
 public:
  using Clock = std::chrono::steady_clock;

  // The link or the consumer is another: of it, nothing was asked for yet.
  void Begin(const PullLimits& limits);
  // Nobody answers what was asked for.
  void Forget() { asked_ = 0; }

  // What is received and not dealt with, and how much of it may be.
  struct Held {
    std::int64_t messages = 0;
    std::int64_t messages_max = 0;
    std::int64_t bytes = 0;
    std::int64_t bytes_max = 0;
  };
  struct Request {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    std::chrono::nanoseconds expires{0};

    std::string ToJson() const;
  };
  // The request to make now; none: what was asked for is enough, or there is no room.
  std::optional<Request> Next(const Held& held, Clock::time_point now) const;
  // It was made.
  void Asked(const Request& request, Clock::time_point now);

  // One of the messages has come.
  void Got(std::int64_t bytes);
  // The server says something else about what was asked for. `holds`: something is held. False: the consumer is gone or
  // was changed, and has to be bound anew.
  bool ReadStatus(natsMsg* message, bool holds, Clock::time_point now);
  // Why the server gives nothing, in its words, once it has refused again and again; else empty. Told once.
  std::string TakeRefusal();

 private:
  bool ReadRefusal(const std::string& why, bool holds, Clock::time_point now);

  PullLimits limits_;
  std::int64_t asked_ = 0;  // and not yet come
  std::int64_t asked_bytes_ = 0;
  Clock::time_point asked_until_{};  // the server answers until then
  Clock::time_point ask_after_{};
  int refusals_ = 0;     // in a row
  std::string refusal_;  // too many of them; empty: no
};

}  // namespace kps
