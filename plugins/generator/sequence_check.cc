#include "sequence_check.h"

namespace kps::plugins {
namespace {

// A stream that loses this much is broken; what is older stays missing and counts as a duplicate when it comes.
constexpr size_t kHolesMax = 65536;

}  // namespace

void SequenceCheck::see(uint64_t sequence) {
  if (counts_.received++ == 0) expected_ = lowest_ = sequence;
  if (sequence == expected_) {
    ++expected_;
  } else if (sequence > expected_) {
    holes_.emplace(expected_, sequence);
    counts_.gaps += sequence - expected_;
    missing_ += sequence - expected_;
    expected_ = sequence + 1;
  } else if (sequence < lowest_) {
    // The sequence starts lower than it seemed: what lies between has not come yet.
    ++counts_.out_of_order;
    if (sequence + 1 < lowest_) {
      holes_.emplace(sequence + 1, lowest_);
      counts_.gaps += lowest_ - sequence - 1;
      missing_ += lowest_ - sequence - 1;
    }
    lowest_ = sequence;
  } else if (fill(sequence)) {
    ++counts_.out_of_order;
    --missing_;
  } else {
    ++counts_.duplicates;
  }
  if (holes_.size() > kHolesMax) holes_.erase(holes_.begin());
}

bool SequenceCheck::fill(uint64_t sequence) {
  auto hole = holes_.upper_bound(sequence);
  if (hole == holes_.begin()) return false;
  --hole;
  const uint64_t end = hole->second;
  if (sequence >= end) return false;
  if (hole->first == sequence) {
    holes_.erase(hole);
  } else {
    hole->second = sequence;
  }
  if (sequence + 1 < end) holes_.emplace(sequence + 1, end);
  return true;
}

}  // namespace kps::plugins
