#include "host/transport/jetstream_wire.h"

#include <array>
#include <charconv>
#include <iterator>

#include "host/core/json.h"

namespace kps {
namespace {

constexpr std::size_t kRangesMax = 16 * 1024;

// Of "$JS.ACK.<stream>.<consumer>.<attempt>.<stream sequence>.<consumer sequence>.<time>.<pending>", from behind. Newer
// servers put a domain and an account before the stream, and a token at the end.
constexpr std::size_t kTokens = 9;
constexpr std::size_t kTokensNewer = 11;
constexpr std::size_t kTokensMax = 13;
constexpr std::size_t kAttempt = 4;
constexpr std::size_t kAddedBefore = 2;

struct Tokens {
  std::array<std::string_view, kTokensMax> all;
  std::size_t attempt = 0;  // where it is; 0: this is no delivery
};

Tokens Split(std::string_view reply) {
  Tokens tokens;
  if (!reply.starts_with("$JS.ACK.")) return tokens;
  std::size_t count = 0;
  for (std::size_t start = 0; start <= reply.size() && count < kTokensMax; ++count) {
    const std::size_t end = std::min(reply.find('.', start), reply.size());
    tokens.all[count] = reply.substr(start, end - start);
    start = end + 1;
  }
  if (count == kTokens) tokens.attempt = kAttempt;
  if (count >= kTokensNewer) tokens.attempt = kAttempt + kAddedBefore;
  return tokens;
}

template <typename Number>
bool Read(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

PubAck ReadPubAck(std::string_view text) {
  // {"stream":"S", "seq":12}: what nearly every one looks like is not worth a parser.
  const bool plain = text.starts_with("{\"stream\":") && text.find("\"seq\":") != std::string_view::npos &&
                     text.find('\\') == std::string_view::npos && text.find("\"error\"") == std::string_view::npos &&
                     text.ends_with('}');
  if (plain) return {true, 0, ""};
  const auto members = ParseJsonObject(text);
  if (!members.ok()) return {false, 0, "the answer cannot be read: " + members.error().message()};
  const auto error = members.value().find("error");
  if (error == members.value().end()) {
    const bool stored = members.value().contains("stream") && members.value().contains("seq");
    return {stored, 0, stored ? "" : "the answer names no stream and no sequence"};
  }
  PubAck ack{false, 0, error->second};
  if (const auto details = ParseJsonObject(error->second); details.ok()) {
    if (const auto code = details.value().find("err_code"); code != details.value().end()) {
      (void)Read(code->second, &ack.error_code);
    }
    if (const auto words = details.value().find("description"); words != details.value().end()) {
      ack.reason = JsonStringValue(words->second).value_or(words->second);
    }
  }
  return ack;
}

std::optional<DeliveredAs> ReadDeliveredAs(std::string_view reply) {
  const Tokens tokens = Split(reply);
  if (tokens.attempt == 0) return std::nullopt;
  DeliveredAs as;
  const bool read = Read(tokens.all[tokens.attempt], &as.attempt) &&
                    Read(tokens.all[tokens.attempt + 1], &as.stream_sequence) &&
                    Read(tokens.all[tokens.attempt + 2], &as.consumer_sequence) &&
                    Read(tokens.all[tokens.attempt + 3], &as.stored_at_ns);
  if (!read) return std::nullopt;
  return as;
}

std::string ReplyOfOther(std::string_view reply, std::uint64_t stream_sequence) {
  const Tokens tokens = Split(reply);
  std::string other;
  for (std::size_t i = 0; i < kTokensMax && tokens.all[i].data() != nullptr; ++i) {
    if (i > 0) other += '.';
    other += i == tokens.attempt + 1 ? std::to_string(stream_sequence) : std::string(tokens.all[i]);
  }
  return other;
}

void NumberSet::Add(std::uint64_t number) {
  auto next = ranges_.upper_bound(number);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= number) return;
    if (before->second + 1 == number) {
      before->second = number;
      if (next != ranges_.end() && next->first == number + 1) {
        before->second = next->second;
        ranges_.erase(next);
      }
      return;
    }
  }
  if (next != ranges_.end() && next->first == number + 1) {
    const std::uint64_t last = next->second;
    ranges_.erase(next);
    ranges_[number] = last;
  } else {
    ranges_[number] = number;
  }
  if (ranges_.size() > kRangesMax) ranges_.erase(ranges_.begin());
}

bool NumberSet::Contains(std::uint64_t number) const {
  const auto next = ranges_.upper_bound(number);
  return next != ranges_.begin() && std::prev(next)->second >= number;
}

}  // namespace kps
