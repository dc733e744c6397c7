// What a producer has taken and the server has not confirmed: copies, numbered 1, 2, 3, ..., with a limit.
#ifndef KPS_PLUGINS_NATS_UNCONFIRMED_MESSAGES_H
#define KPS_PLUGINS_NATS_UNCONFIRMED_MESSAGES_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kps::plugins {

class UnconfirmedMessages {
 public:
  bool has_room(size_t size) const { return empty() || (end_ - first_ < kMessagesMax && bytes_ + size <= kBytesMax); }
  bool much() const { return end_ - first_ > kMessagesMax / 2 || bytes_ > kBytesMax / 2; }
  void add(const char* data, size_t size) {
    if (end_ - first_ == ring_.size()) grow();
    One& one = at(end_++);
    if (size > 0)
      one.payload.assign(data, size);
    else
      one.payload.clear();
    one.confirmed = false;
    bytes_ += size;
  }
  // A number that is not here counts for nothing: it was confirmed before.
  void confirm(uint64_t number) {
    if (number < first_ || number >= end_) return;
    at(number).confirmed = true;
    while (first_ < end_ && at(first_).confirmed) bytes_ -= at(first_++).payload.size();
  }
  void confirm_before(uint64_t end) {
    for (uint64_t number = first_; number < end; ++number) confirm(number);
  }

  bool empty() const { return first_ == end_; }
  uint64_t first() const { return first_; }  // the number of the oldest
  uint64_t end() const { return end_; }      // the number of the next one to be added
  bool confirmed(uint64_t number) { return at(number).confirmed; }
  const std::string& payload(uint64_t number) { return at(number).payload; }

 private:
  static constexpr uint64_t kMessagesMax = 16384;
  static constexpr uint64_t kBytesMax = 16u << 20;
  struct One {
    std::string payload;
    bool confirmed = false;
  };
  One& at(uint64_t number) { return ring_[number % ring_.size()]; }
  void grow() {
    std::vector<One> larger(ring_.size() * 2);
    for (uint64_t number = first_; number < end_; ++number) larger[number % larger.size()] = std::move(at(number));
    ring_ = std::move(larger);
  }

  std::vector<One> ring_ = std::vector<One>(256);
  uint64_t first_ = 1;
  uint64_t end_ = 1;
  uint64_t bytes_ = 0;
};

}  // namespace kps::plugins

#endif
