#include "jetstream_requests.h"

#include <algorithm>

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// What is asked for and what waits for the host, together.
constexpr uint64_t kMessagesMax = 4096;
constexpr uint64_t kBytesMax = 16u << 20;
constexpr uint64_t kHeadersMax = 64 * 1024;  // what a message may be larger by than its payload
constexpr nanoseconds kExpires = std::chrono::seconds(5);
// The server forgets a request after its time, and its word on that may be lost: so much later it is.
constexpr milliseconds kGrace{1000};
constexpr milliseconds kPauseAfterRefusal{50};

uint64_t at_most(uint64_t number, uint64_t limit) { return limit > 0 ? std::min(number, limit) : number; }

}  // namespace

void JetStreamRequests::begin(const Limits& limits) {
  limits_ = limits;
  open_.clear();
  messages_ = bytes_ = 0;
  not_before_ = {};
}

std::optional<std::string> JetStreamRequests::next(uint64_t waiting, uint64_t waiting_bytes, Clock::time_point now) {
  while (!open_.empty() && now >= open_.front().until) ended(false, now);
  if (now < not_before_) return std::nullopt;
  // One is always under way while another is served.
  const uint64_t used = waiting + messages_;
  if (messages_ > kMessagesMax / 2 || used >= kMessagesMax || kMessagesMax - used < kMessagesMax / 4)
    return std::nullopt;
  // A request has to have room for the largest message, or the server ends it.
  const uint64_t largest = limits_.payload_max + kHeadersMax;
  const uint64_t bytes_max = std::max(kBytesMax, 2 * largest);
  const uint64_t used_bytes = waiting_bytes + bytes_;
  if (used_bytes + largest > bytes_max) return std::nullopt;
  Request request;
  request.messages = at_most(kMessagesMax - used, limits_.batch_max);
  request.bytes = at_most((bytes_max - used_bytes + largest) / 2, limits_.bytes_max);
  const auto expires = static_cast<int64_t>(at_most(static_cast<uint64_t>(kExpires.count()), limits_.expires_max_ns));
  request.until = now + nanoseconds(expires) + kGrace;
  open_.push_back(request);
  messages_ += request.messages;
  bytes_ += request.bytes;
  return "{\"batch\":" + std::to_string(request.messages) + ",\"max_bytes\":" + std::to_string(request.bytes) +
         ",\"expires\":" + std::to_string(expires) + "}";
}

void JetStreamRequests::came(uint64_t bytes) {
  if (open_.empty()) return;
  Request& oldest = open_.front();
  --oldest.messages;
  --messages_;
  const uint64_t counted = std::min(bytes, oldest.bytes);
  oldest.bytes -= counted;
  bytes_ -= counted;
  if (oldest.messages > 0) return;
  bytes_ -= oldest.bytes;
  open_.pop_front();
}

void JetStreamRequests::ended(bool refused, Clock::time_point now) {
  if (refused) not_before_ = now + kPauseAfterRefusal;
  if (open_.empty()) return;
  messages_ -= open_.front().messages;
  bytes_ -= open_.front().bytes;
  open_.pop_front();
}

}  // namespace kps::plugins
