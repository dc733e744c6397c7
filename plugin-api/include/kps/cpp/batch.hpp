// The batch that Consumer::next fills. One batch lives as long as its consumer and keeps its buffers, so once
// warm it allocates nothing.
#ifndef KPS_CPP_BATCH_HPP
#define KPS_CPP_BATCH_HPP

#include <cstring>
#include <string>
#include <vector>

#include "../message.h"
#include "failure.hpp"

namespace kps {
namespace plugin {

class Batch {
 public:
  // Copies the payload: any bytes, also none.
  void add(const void *data, size_t size, int64_t timestamp_ns = 0) {
    if (size == 0) {
      append_message(nullptr, 0, timestamp_ns);
      return;
    }
    std::memcpy(allot(size, timestamp_ns), data, size);
  }
  void add(const std::string &payload, int64_t timestamp_ns = 0) { add(payload.data(), payload.size(), timestamp_ns); }

  // Does not copy: the bytes must stay as they are until the next call of next, or the consumer's end.
  void add_borrowed(const void *data, size_t size, int64_t timestamp_ns = 0) {
    append_message(data, size, timestamp_ns);
  }

  // Adds a payload of `size` bytes to be written through the result, which the next add invalidates.
  char *allot(size_t size, int64_t timestamp_ns = 0) {
    const size_t offset = owned_.size();
    owned_.resize(offset + size);
    append_message(nullptr, size, timestamp_ns);
    return owned_.data() + offset;
  }

  // Names the message that was added last, see kps_message. Copies the id.
  void set_id(const void *id, size_t size) {
    if (messages_.empty()) throw Failure(KPS_INTERNAL, "set_id comes after add");
    kps_bytes &last = messages_.back().id;
    if (last.size > 0) throw Failure(KPS_INTERNAL, "a message has one id");
    last.size = size;
    ids_.append(static_cast<const char *>(id), size);
  }
  void set_id(const std::string &id) { set_id(id.data(), id.size()); }

  // The resume point after the last message added. It stays until it is set again.
  void set_position(const void *data, size_t size) {
    if (size > KPS_POSITION_SIZE_MAX) throw Failure(KPS_INTERNAL, "the position is longer than KPS_POSITION_SIZE_MAX");
    position_.assign(static_cast<const char *>(data), size);
  }
  void set_position(const std::string &position) { set_position(position.data(), position.size()); }

  // Whether the host's limits leave room for one more payload of that size. The first always has room.
  bool has_room(size_t payload_size) const {
    if (messages_.empty()) return true;
    return messages_.size() < messages_max_ && bytes_ <= bytes_max_ && payload_size <= bytes_max_ - bytes_;
  }
  uint32_t messages_max() const { return messages_max_; }
  uint64_t bytes_max() const { return bytes_max_; }

  bool empty() const { return messages_.empty(); }
  size_t size() const { return messages_.size(); }
  uint64_t bytes() const { return bytes_; }

  // What Consumer::ack receives when this batch is safe.
  uint64_t token() const { return token_; }

  // For the boundary, and for unit tests of a consumer.
  void begin(const kps_limits &limits, uint64_t token) {
    messages_.clear();
    owned_.clear();
    ids_.clear();
    bytes_ = 0;
    messages_max_ = limits.messages_max > 0 ? limits.messages_max : 1;
    bytes_max_ = limits.bytes_max;
    token_ = token;
  }
  void seal(kps_batch *out) {
    // The buffers of the copies may have moved while they grew; now they stay. They hold them in the order of add.
    const char *next = owned_.data();
    const char *next_id = ids_.data();
    for (size_t i = 0; i < messages_.size(); ++i) {
      kps_bytes &id = messages_[i].id;
      if (id.size > 0) id.data = next_id;
      next_id += id.size;
      kps_bytes &payload = messages_[i].payload;
      if (payload.data != nullptr || payload.size == 0) continue;
      payload.data = next;
      next += payload.size;
    }
    out->message_stride = sizeof(kps_message);
    out->messages = messages_.data();
    out->message_count = messages_.size();
    out->position.data = position_.data();
    out->position.size = position_.size();
    out->token = token_;
    out->release = nullptr;
    out->release_context = nullptr;
  }

 private:
  void append_message(const void *data, size_t size, int64_t timestamp_ns) {
    kps_message message = {{data, size}, timestamp_ns, {nullptr, 0}};
    messages_.push_back(message);
    bytes_ += size;
  }

  std::vector<kps_message> messages_;  // payload.data is NULL for a copied payload until seal
  std::vector<char> owned_;
  std::string ids_;
  std::string position_;
  uint64_t bytes_ = 0;
  uint32_t messages_max_ = 1;
  uint64_t bytes_max_ = 0;
  uint64_t token_ = 0;
};

}  // namespace plugin
}  // namespace kps

#endif
