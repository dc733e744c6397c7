// What happens to a message that can never be delivered, and the channel that takes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/core/error.h"
#include "host/core/stream.h"
#include "host/core/stream_control.h"
#include "host/core/transport.h"

namespace kps {

struct FailurePolicy {
  enum class OnUndeliverable {
    kDeadLetter,  // it goes to the dead-letter channel
    kDrop,        // it is dropped and counted
    kBlock,       // its stream fails, and waits with it for a change
  };
  OnUndeliverable on_undeliverable = OnUndeliverable::kDeadLetter;
  std::string dead_letter_channel{};  // empty: the default one of the stream's channel
  // A message whose delivery has failed so often with a transient error is undeliverable, too. 0: it never is.
  std::uint32_t attempts_max = 0;
  std::chrono::milliseconds retry_delay_max{30'000};
};

// The headers of a dead letter.
inline constexpr std::string_view kReasonHeader = "Kps-Reason";
inline constexpr std::string_view kAttemptsHeader = "Kps-Attempts";
inline constexpr std::string_view kStreamHeader = "Kps-Stream";
inline constexpr std::string_view kChannelHeader = "Kps-Channel";

// The channel, followed by .dead. What would follow a wildcard would match it again: there it is dead. and what stands
// before the wildcard.
std::string DefaultDeadLetterChannel(const std::string& channel);

// The dead letters of one egress stream. Of the stream's thread.
class DeadLetters {
 public:
  // All of them outlive it.
  DeadLetters(Transport* transport, const StreamSpec* stream, const StreamControl* control, std::string channel);

  // Publishes `envelope` with its reason and waits for the confirm, for some seconds, or until the stream is to end: OK
  // only then. INVALID_ARGUMENT: it is too large for the transport. FAILED_PRECONDITION: the channel cannot be used.
  // What is transient may be tried again: a transport that knows messages by their ids keeps one letter.
  Error Put(std::string_view envelope, const std::string& reason, std::uint32_t attempts);

  const std::string& channel() const { return channel_; }

 private:
  Error Await(std::uint64_t ticket);

  Transport* const transport_;
  const StreamSpec* const stream_;
  const StreamControl* const control_;
  const std::string channel_;
  const std::string run_;      // begins the ids of the letters
  std::uint64_t letters_ = 0;  // done with
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace kps
