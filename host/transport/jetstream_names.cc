#include "host/transport/jetstream_names.h"

#include <cstddef>
#include <cstdint>

namespace kps {
namespace {

// The server makes folders of these names.
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kKeptBytes = 160;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

void AppendHex(std::uint64_t number, int digits, std::string* text) {
  for (int i = digits - 1; i >= 0; --i) *text += "0123456789ABCDEF"[(number >> (4 * i)) & 0xF];
}

std::string Written(std::string_view text) {
  std::string written;
  for (const char c : text) {
    if (IsPlain(c)) {
      written += c;
    } else if (c == '.') {
      written += '=';
    } else {
      written += '~';
      AppendHex(static_cast<unsigned char>(c), 2, &written);
    }
  }
  return written;
}

std::string Shortened(std::string name) {
  if (name.size() <= kNameBytesMax) return name;
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  name.resize(kKeptBytes);
  name += "~~";
  AppendHex(hash, 16, &name);
  return name;
}

// Takes the first token off `subject`.
std::string_view TakeToken(std::string_view* subject) {
  const std::size_t dot = subject->find('.');
  const std::string_view token = subject->substr(0, dot);
  *subject = dot == std::string_view::npos ? std::string_view{} : subject->substr(dot + 1);
  return token;
}

}  // namespace

std::string JetStreamStreamName(std::string_view prefix, std::string_view channel) {
  return Shortened(Written(prefix) + "-" + Written(channel));
}

std::string JetStreamConsumerName(std::string_view connector_id, std::string_view subscriber,
                                  std::string_view channel) {
  return Shortened(Written(connector_id) + "+" + Written(subscriber) + "+" + Written(channel));
}

bool SubjectCovers(std::string_view pattern, std::string_view channel) {
  while (!pattern.empty() && !channel.empty()) {
    const std::string_view wanted = TakeToken(&pattern);
    const std::string_view token = TakeToken(&channel);
    if (wanted == ">") return true;
    if (token == ">" || (wanted != "*" && wanted != token)) return false;
  }
  return pattern.empty() && channel.empty();
}

}  // namespace kps
