// The payload that the generator writes and checks: sequence (u64 LE), timestamp in ns (i64 LE), then a pattern
// that follows from the sequence.
#ifndef KPS_PLUGINS_GENERATOR_PAYLOAD_H
#define KPS_PLUGINS_GENERATOR_PAYLOAD_H

#include <cstdint>
#include <cstring>
#include <string>

namespace kps::plugins {

constexpr size_t kHeaderBytes = 16;

inline void store_le64(char* out, uint64_t value) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<char>(value >> (8 * i));
}

inline uint64_t load_le64(const char* in) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  return value;
}

// Byte i after the header is (sequence + i) mod 256: a slice of one table, so it costs a memcpy.
class Pattern {
 public:
  const char* slice(uint64_t sequence, size_t bytes) {
    while (table_.size() < bytes + 256) table_.push_back(static_cast<char>(table_.size()));
    return table_.data() + (sequence & 255);
  }

 private:
  std::string table_;
};

}  // namespace kps::plugins

#endif
