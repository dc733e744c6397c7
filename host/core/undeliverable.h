// What becomes of a message that its producer can never take, as the policy says. Of the stream's thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/core/dead_letters.h"
#include "host/core/stream_context.h"

namespace kps {

class Undeliverable {
 public:
  // What `context` points to outlives it.
  explicit Undeliverable(const StreamContext& context);

  // For `error`, after so many attempts; the ledger has it as `reason` where it is dropped. Waits while the channel of
  // dead letters is away. False: the message stays, and the instance is done with.
  bool GiveUp(std::string_view envelope, DropReason reason, const Error& error, std::uint32_t attempts);

 private:
  bool SendDeadLetter(std::string_view envelope, const Error& error, std::uint32_t attempts);

  const FailurePolicy& policy_;
  StreamControl* const control_;
  StreamHealth* const health_;
  Ledger* const ledger_;
  DeadLetters dead_letters_;
};

}  // namespace kps
