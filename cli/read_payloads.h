// Files to payloads: what a user has on disk becomes what SetPayload takes.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "cli/contract.h"
#include "cli/result.h"

namespace kps::cli {

inline constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

// Where the payloads of a request came from: a file, or "FILE at /2" in an array.
struct Sources {
  std::map<std::string, std::string> streams = {};  // by id
  std::string config = {};                          // several: all of them
};

// Reads every file ("-" is `standard_input`). Each holds one of these, or an array of them:
//   - the platform's stream  {"name", "direction": "INGRESS" | "EGRESS", "stream": {...}, ...}
//   - the platform's config  {"name", "config": {...}, ...}
//   - protobuf JSON          a SetPayloadRequest, a Payload, a Stream or a Config
//   - what `streams get -o json` printed; streams that were only discovered are left out
// The result has the streams in the order of the files, and at most one config: several are merged key by key, the
// later one wins. Its connector_id is the one the files name, or empty. No two streams have the same id.
// `sources` (may be null) gets what was read where.
Result<v1::SetPayloadRequest> ReadPayloads(const std::vector<std::string>& files, std::istream& standard_input,
                                           Sources* sources = nullptr);

// The same, of one file that was read already.
Result<v1::SetPayloadRequest> ParsePayloads(const std::string& text, const std::string& file);

// The bytes of a file ("-" is `standard_input`), at most kFileBytesMax.
Result<std::string> ReadFile(const std::string& file, std::istream& standard_input);

}  // namespace kps::cli
