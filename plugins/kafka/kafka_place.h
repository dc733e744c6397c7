// Where a stream is in its topic: the next offset of each partition. Its text is the position.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_PLACE_H
#define KPS_PLUGINS_KAFKA_KAFKA_PLACE_H

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace kps::plugins {

struct KafkaPlace {
  std::string topic;
  std::map<int32_t, int64_t> next;  // partition -> offset of the message that follows

  // "v1 TOPIC PARTITION:OFFSET,...". Nothing: it is no such text.
  static std::optional<KafkaPlace> parse(const std::string& position);

  // Where it would be longer than a position may be, the partitions for which `can_go` are left out first, then others
  // from the end: the group's own offsets hold for them.
  std::string position(const std::function<bool(int32_t partition, int64_t offset)>& can_go) const;
};

// Names one message for good: "TOPIC/PARTITION/OFFSET". A long topic is cut, with a hash of all of it.
class KafkaIds {
 public:
  explicit KafkaIds(const std::string& topic);
  std::string id(int32_t partition, int64_t offset) const;

 private:
  std::string prefix_;
};

}  // namespace kps::plugins

#endif
