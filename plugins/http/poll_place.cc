#include "poll_place.h"

#include <kps/message.h>

#include <cstddef>
#include <string_view>

namespace kps::plugins {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::string_view kVersion = "v1 ";
constexpr size_t kHashDigits = 32;
constexpr size_t kHeadSize = kVersion.size() + 2 * kHashDigits + 2;  // "v1 URL BODY\n"

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A header's value as curl gives it: nothing that ends a line.
bool is_value(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return true;
}

}  // namespace

std::string hash_of(const std::string& bytes) {
  constexpr Uint128 kPrime = (Uint128{1} << 88) + 0x13B;
  Uint128 hash = (Uint128{0x6C62272E07BB0142} << 64) + 0x62B821756295C58D;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  std::string digits(kHashDigits, '0');
  for (size_t i = kHashDigits; i-- > 0; hash >>= 4) digits[i] = "0123456789abcdef"[static_cast<size_t>(hash & 15)];
  return digits;
}

std::string PollPlace::position() const {
  const std::string head = std::string(kVersion) + url_hash + " " + body_hash + "\n";
  const std::string whole = head + etag + "\n" + last_modified + "\n";
  return whole.size() <= KPS_POSITION_SIZE_MAX && is_value(etag) && is_value(last_modified) ? whole : head + "\n\n";
}

std::optional<PollPlace> PollPlace::parse(const std::string& position) {
  const std::string_view text(position);
  if (text.size() < kHeadSize || text.substr(0, kVersion.size()) != kVersion) return std::nullopt;
  const std::string_view url = text.substr(kVersion.size(), kHashDigits);
  const std::string_view body = text.substr(kVersion.size() + kHashDigits + 1, kHashDigits);
  if (!is_hash(url) || !is_hash(body) || text[kVersion.size() + kHashDigits] != ' ') return std::nullopt;
  if (text[kHeadSize - 1] != '\n') return std::nullopt;
  const size_t etag_end = text.find('\n', kHeadSize);
  if (etag_end == std::string_view::npos || text.find('\n', etag_end + 1) != text.size() - 1) return std::nullopt;
  PollPlace place;
  place.url_hash = url;
  place.body_hash = body;
  place.etag = text.substr(kHeadSize, etag_end - kHeadSize);
  place.last_modified = text.substr(etag_end + 1, text.size() - etag_end - 2);
  if (!is_value(place.etag) || !is_value(place.last_modified)) return std::nullopt;
  return place;
}

}  // namespace kps::plugins
