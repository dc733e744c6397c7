// Messages as core passes them around: views into memory that somebody else owns.
#pragma once

#include <cstdint>
#include <string_view>

namespace kps {

// One payload. The bytes live as long as the batch or the delivery they came with.
struct MessageView {
  std::string_view payload;
  std::int64_t timestamp_ns = 0;  // since the Unix epoch; 0: unknown
  std::string_view id = {};       // names the message within its stream, for good; empty: nothing does
};

}  // namespace kps
