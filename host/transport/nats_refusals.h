// What a NATS server has not permitted. Internal to host/transport.
//
// It says so beside what was asked for: whoever has asked looks here. What goes to many subjects of one kind, as
// acknowledgments do, counts as one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/error.h"
#include "host/core/mutex.h"

namespace kps {

struct NatsRefusal {
  enum class Of { kPublish, kSubscribe };
  Of of = Of::kPublish;
  std::string subject;
  std::string words;  // the server's
};

// Out of the server's words; nothing: they are about something else.
std::optional<NatsRefusal> ReadNatsRefusal(std::string_view text);

// PERMISSION_DENIED, and what to do.
Error NotPermitted(NatsRefusal::Of of, std::string_view subject);

class NatsRefusals {
 public:
  using Clock = std::chrono::steady_clock;

  // True: the like of it was not said for a minute.
  bool Add(const NatsRefusal& refusal, Clock::time_point now);

  // How many there were. Who asks for something remembers this number before.
  std::uint64_t count() const { return count_; }
  // Whether there was such a one after the first `before`. Cheap where there was none at all.
  bool Since(std::uint64_t before, NatsRefusal::Of of, std::string_view subject) const;
  // One after the first `before` that is of a subject of JetStream or an inbox which `text` names, in a sentence;
  // empty: none.
  std::string NamedIn(std::string_view text, std::uint64_t before) const;

 private:
  struct Last {
    std::uint64_t number = 0;
    Clock::time_point said_at{};
  };

  std::atomic<std::uint64_t> count_{0};
  mutable Mutex mutex_;
  std::map<std::pair<NatsRefusal::Of, std::string>, Last> last_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
