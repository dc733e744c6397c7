#include "kafka_place.h"

#include <kps/message.h>

#include <charconv>
#include <cstdio>
#include <string_view>

namespace kps::plugins {
namespace {

constexpr std::string_view kVersion = "v1 ";
constexpr size_t kTopicInIdMax = 90;
constexpr size_t kTopicInIdKept = 70;

template <typename Number>
bool take_number(std::string_view* text, Number* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || *number < 0) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

bool take(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace

std::optional<KafkaPlace> KafkaPlace::parse(const std::string& position) {
  std::string_view rest = position;
  if (!rest.starts_with(kVersion)) return std::nullopt;
  rest.remove_prefix(kVersion.size());
  const size_t space = rest.find(' ');
  if (space == 0 || space == std::string_view::npos) return std::nullopt;
  KafkaPlace place;
  place.topic = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  do {
    int32_t partition = 0;
    int64_t offset = 0;
    if (!take_number(&rest, &partition) || !take(&rest, ':') || !take_number(&rest, &offset)) return std::nullopt;
    if (!place.next.emplace(partition, offset).second) return std::nullopt;
  } while (take(&rest, ','));
  if (!rest.empty()) return std::nullopt;
  return place;
}

std::string KafkaPlace::position(const std::function<bool(int32_t, int64_t)>& can_go) const {
  const std::string head = std::string(kVersion) + topic + " ";
  const auto write = [&](bool all) {
    std::string text = head;
    for (const auto& [partition, offset] : next) {
      if (!all && can_go(partition, offset)) continue;
      const std::string item = std::to_string(partition) + ":" + std::to_string(offset);
      if (!all && text.size() + item.size() + 1 > KPS_POSITION_SIZE_MAX) break;
      if (text.size() > head.size()) text += ',';
      text += item;
    }
    return text;
  };
  std::string text = write(true);
  if (text.size() <= KPS_POSITION_SIZE_MAX) return text;
  text = write(false);
  // The position is never empty: that would mean the start.
  if (text.size() > head.size()) return text;
  return head + std::to_string(next.begin()->first) + ":" + std::to_string(next.begin()->second);
}

KafkaIds::KafkaIds(const std::string& topic) : prefix_(topic) {
  if (topic.size() > kTopicInIdMax) {
    char hash[32];
    std::snprintf(hash, sizeof hash, "~%016llx", static_cast<unsigned long long>(fnv1a(topic)));
    prefix_ = topic.substr(0, kTopicInIdKept) + hash;
  }
  prefix_ += '/';
}

std::string KafkaIds::id(int32_t partition, int64_t offset) const {
  return prefix_ + std::to_string(partition) + "/" + std::to_string(offset);
}

}  // namespace kps::plugins
