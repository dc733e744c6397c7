// SetPayload as the platform sends it: through a gRPC stub and server on loopback, to a Runtime whose streams run.
#pragma once

#include <vector>

namespace kps::bench {

struct SetPayloadLatency {
  double new_ms = 0;        // streams that did not exist
  double unchanged_ms = 0;  // the same request again
};

// One value a round, all in one process of its own. Errors are exceptions.
std::vector<SetPayloadLatency> MeasureSetPayload(int streams, int rounds);

}  // namespace kps::bench
