// Finds gaps, duplicates and disorder in a sequence of numbers.
#ifndef KPS_PLUGINS_GENERATOR_SEQUENCE_CHECK_H
#define KPS_PLUGINS_GENERATOR_SEQUENCE_CHECK_H

#include <cstddef>
#include <cstdint>
#include <map>

namespace kps::plugins {

class SequenceCheck {
 public:
  struct Counts {
    uint64_t received = 0;
    uint64_t gaps = 0;          // numbers that were jumped over, also when they came later
    uint64_t duplicates = 0;    // numbers that had come before
    uint64_t out_of_order = 0;  // numbers that came after a higher one, for the first time
  };

  // The first number seen is where the sequence starts.
  void see(uint64_t sequence);

  const Counts& counts() const { return counts_; }
  uint64_t missing() const { return missing_; }
  uint64_t expected() const { return expected_; }

 private:
  bool fill(uint64_t sequence);

  Counts counts_;
  uint64_t expected_ = 0;
  uint64_t lowest_ = 0;
  uint64_t missing_ = 0;
  std::map<uint64_t, uint64_t> holes_;  // first missing -> one past the last; bounded by kHolesMax
};

}  // namespace kps::plugins

#endif
