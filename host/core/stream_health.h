// How a stream fares, from what its thread meets: what it says about itself, and how long it waits. Of the stream's
// thread.
#pragma once

#include <chrono>
#include <string>

#include "host/core/backoff.h"
#include "host/core/error.h"
#include "host/core/ledger.h"
#include "host/core/stream_control.h"
#include "host/core/stream_environment.h"
#include "host/core/stream_events.h"

namespace kps {

class StreamHealth {
 public:
  // All of them outlive it.
  StreamHealth(const StreamSpec* stream, const StreamEnvironment* environment, StreamControl* control);

  // Where the waits after transient errors are counted, from the start of the stream.
  void CountIn(Ledger* ledger) { ledger_ = ledger; }

  StreamEvents& events() { return events_; }
  // The instance has met an error that does not pass by itself: it has to be made anew.
  bool failed() const { return events_.failed(); }

  // Reports `error`, then waits: after a transient one as long as the back-off says, after a permanent one for a stop
  // or a TryAgain; then failed() is true.
  void ReactToError(const char* doing, const Error& error);
  // Both may be called for every message: only a change is reported.
  void ReportHealthy();
  void ReportUnhealthy(const std::string& reason);
  // Healthy as long as the transport is connected and the instance is in no trouble.
  void ReportConnection();
  // A flush, or an acknowledgement to the source, has failed since the last that did not.
  void SetInTrouble(bool in_trouble) { in_trouble_ = in_trouble; }

  // The back-off's next delay.
  std::chrono::milliseconds NextDelay() { return backoff_.Next(); }
  // Waits for it, but for a second at most, or for a stop.
  void WaitShortly();

  // A message can never be delivered: what became of it, and why.
  void ReportUndeliverable(const std::string& what, const std::string& reason);

 private:
  void TellDurability();

  const StreamSpec* const stream_;
  const StreamEnvironment* const environment_;
  StreamControl* const control_;
  Ledger* ledger_ = nullptr;
  StreamEvents events_;
  Backoff backoff_;
  bool in_trouble_ = false;
  std::string durability_;  // as told last
  std::chrono::steady_clock::time_point durability_look_at_{};
  std::uint64_t undeliverable_ = 0;
  std::chrono::steady_clock::time_point undeliverable_logged_at_{};
};

}  // namespace kps
