// Sequences, as ranges: what is dense takes little memory.
#ifndef KPS_PLUGINS_NATS_SEQUENCE_SET_H
#define KPS_PLUGINS_NATS_SEQUENCE_SET_H

#include <cstdint>
#include <iterator>
#include <map>

namespace kps::plugins {

class SequenceSet {
 public:
  void add(uint64_t sequence) {
    auto next = ranges_.upper_bound(sequence);
    if (next != ranges_.begin()) {
      const auto before = std::prev(next);
      if (before->second >= sequence) return;
      if (before->second + 1 == sequence) {
        before->second = sequence;
        if (next != ranges_.end() && next->first == sequence + 1) {
          before->second = next->second;
          ranges_.erase(next);
        }
        return;
      }
    }
    if (next != ranges_.end() && next->first == sequence + 1) {
      const uint64_t last = next->second;
      next = ranges_.erase(next);
      ranges_.emplace_hint(next, sequence, last);
    } else {
      ranges_.emplace_hint(next, sequence, sequence);
    }
    if (ranges_.size() > kRangesMax) ranges_.erase(ranges_.begin());  // the lowest are forgotten
  }
  bool contains(uint64_t sequence) const {
    const auto next = ranges_.upper_bound(sequence);
    return next != ranges_.begin() && std::prev(next)->second >= sequence;
  }
  void clear() { ranges_.clear(); }

 private:
  static constexpr size_t kRangesMax = 16 * 1024;

  std::map<uint64_t, uint64_t> ranges_;  // first -> last
};

}  // namespace kps::plugins

#endif
