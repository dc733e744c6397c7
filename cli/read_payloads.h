// Files to payloads: what a user has on disk becomes what SetPayload takes.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/contract.h"
#include "cli/result.h"

namespace kps::cli {

inline constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

// Reads every file ("-" is `standard_input`). Each holds one of these, or an array of them:
//   - the platform's stream  {"name", "direction": "INGRESS" | "EGRESS", "stream": {...}, ...}
//   - the platform's config  {"name", "config": {...}, ...}
//   - protobuf JSON          a SetPayloadRequest, a Payload, a Stream or a Config
//   - what `streams get -o json` printed; streams that were only discovered are left out
// The result has the streams in the order of the files, and at most one config: several are merged key by key, the
// later one wins. Its connector_id is the one the files name, or empty. No two streams have the same id.
Result<v1::SetPayloadRequest> ReadPayloads(const std::vector<std::string>& files, std::istream& standard_input);

}  // namespace kps::cli
