#include "jetstream_delivery.h"

#include <array>
#include <charconv>

namespace kps::plugins {
namespace {

// $JS.ACK.<stream>.<consumer>.<attempt>.<stream sequence>.<consumer sequence>.<time>.<pending>; newer servers put a
// domain and an account before the stream, and a token at the end.
constexpr size_t kTokens = 9;
constexpr size_t kTokensNewer = 11;
constexpr size_t kTokensMax = 13;
constexpr size_t kSequence = 5;
constexpr size_t kNumber = 6;
constexpr size_t kTime = 7;
constexpr size_t kAddedBefore = 2;

template <typename Number>
bool read_number(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<JetStreamDelivery> read_delivery(std::string_view reply) {
  if (!reply.starts_with("$JS.ACK.")) return std::nullopt;
  std::array<std::string_view, kTokensMax> tokens;
  size_t count = 0;
  for (size_t start = 0; start <= reply.size() && count < kTokensMax; ++count) {
    const size_t end = std::min(reply.find('.', start), reply.size());
    tokens[count] = reply.substr(start, end - start);
    start = end + 1;
  }
  if (count != kTokens && count < kTokensNewer) return std::nullopt;
  const size_t added = count == kTokens ? 0 : kAddedBefore;
  JetStreamDelivery delivery;
  if (!read_number(tokens[kSequence + added], &delivery.sequence) ||
      !read_number(tokens[kNumber + added], &delivery.number) ||
      !read_number(tokens[kTime + added], &delivery.stored_at_ns)) {
    return std::nullopt;
  }
  return delivery;
}

std::string reply_for(const std::string& stream, const std::string& durable, uint64_t sequence, uint64_t deliveries) {
  return "$JS.ACK." + stream + "." + durable + ".1." + std::to_string(sequence) + "." + std::to_string(deliveries) +
         ".0.0";
}

}  // namespace kps::plugins
