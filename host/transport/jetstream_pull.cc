#include "host/transport/jetstream_pull.h"

#include <nats/nats.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// The server forgets what was asked for after the first, and its word on that may be lost: so much later it is.
constexpr milliseconds kAskFor{10'000};
constexpr milliseconds kAskAgainAfter{2000};
// After the server has refused to give more. So many in a row, and it is no passing state.
constexpr milliseconds kRefusalWait{50};
constexpr int kRefusalsMax = 20;
// Less room is not worth a request, while there is something to be dealt with.
constexpr std::int64_t kRoomPart = 4;

std::string TextHeader(natsMsg* message, const char* name) {
  const char* text = nullptr;
  return natsMsgHeader_Get(message, name, &text) == NATS_OK ? text : "";
}

// -1: there is none.
std::int64_t NumberHeader(natsMsg* message, const char* name) {
  const std::string text = TextHeader(message, name);
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// `limit` 0: none.
std::int64_t AtMost(std::int64_t number, std::int64_t limit) { return limit > 0 ? std::min(number, limit) : number; }

}  // namespace

void JetStreamPull::Begin(const PullLimits& limits) {
  limits_ = limits;
  asked_ = 0;
}

std::string JetStreamPull::Request::ToJson() const {
  return "{\"batch\":" + std::to_string(messages) + ",\"max_bytes\":" + std::to_string(bytes) +
         ",\"expires\":" + std::to_string(expires.count()) + "}";
}

std::optional<JetStreamPull::Request> JetStreamPull::Next(const Held& held, Clock::time_point now) const {
  if (now < ask_after_) return std::nullopt;
  const bool forgotten = asked_ == 0 || now > asked_until_;
  const std::int64_t asked = forgotten ? 0 : asked_;
  const std::int64_t asked_bytes = forgotten ? 0 : std::max<std::int64_t>(asked_bytes_, 0);
  // Not more in all requests than in one, or a consumer with a low limit would get very many.
  const std::int64_t messages_max = AtMost(held.messages_max, limits_.messages);
  const std::int64_t bytes_max = AtMost(held.bytes_max, limits_.bytes);
  const Request request{std::min(held.messages_max - held.messages, messages_max) - asked,
                        std::min(held.bytes_max - held.bytes, bytes_max) - asked_bytes,
                        nanoseconds(AtMost(nanoseconds(kAskFor).count(), limits_.expires.count()))};
  const bool nothing = held.messages == 0 && asked == 0;
  const bool worth_it =
      request.messages >= std::max<std::int64_t>(messages_max / kRoomPart, 1) && request.bytes >= bytes_max / kRoomPart;
  if (!nothing && !worth_it) return std::nullopt;
  return request;
}

void JetStreamPull::Asked(const Request& request, Clock::time_point now) {
  if (asked_ == 0 || now > asked_until_) asked_ = asked_bytes_ = 0;
  asked_ += request.messages;
  asked_bytes_ += request.bytes;
  asked_until_ = now + std::chrono::ceil<milliseconds>(request.expires) + kAskAgainAfter;
}

void JetStreamPull::Got(std::int64_t bytes) {
  asked_ = std::max<std::int64_t>(asked_ - 1, 0);
  asked_bytes_ -= bytes;
  refusals_ = 0;
}

bool JetStreamPull::ReadStatus(natsMsg* message, bool holds, Clock::time_point now) {
  const std::string status = TextHeader(message, "Status");
  if (status.empty() || status == "100") return true;  // somebody else's message; a heartbeat
  // What was asked for has ended. Of older servers, the rest is not known.
  const std::int64_t rest = NumberHeader(message, "Nats-Pending-Messages");
  const std::int64_t rest_bytes = NumberHeader(message, "Nats-Pending-Bytes");
  asked_ = rest < 0 ? 0 : std::max<std::int64_t>(asked_ - rest, 0);
  if (rest_bytes > 0) asked_bytes_ -= rest_bytes;
  if (status != "404" && status != "408") return ReadRefusal(TextHeader(message, "Description"), holds, now);
  refusals_ = 0;
  return true;
}

bool JetStreamPull::ReadRefusal(const std::string& why, bool holds, Clock::time_point now) {
  ask_after_ = now + kRefusalWait;
  const auto says = [&](const char* text) { return why.find(text) != std::string::npos; };
  const bool usable = !says("Deleted") && !says("Exceeded MaxRequest") && !says("push based");
  // The next message waits for room that what is held takes.
  if (says("Exceeds MaxBytes") && holds) return usable;
  if (++refusals_ < kRefusalsMax) return usable;
  refusals_ = 0;
  refusal_ = why;
  return usable;
}

std::string JetStreamPull::TakeRefusal() { return std::exchange(refusal_, ""); }

}  // namespace kps
