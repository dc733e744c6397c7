// Streams and config from a file, for a host that runs without a platform.
#pragma once

#include <string>

#include "host/core/validate.h"

namespace kps {

// Reads a connector.v1.SetPayloadRequest as protobuf JSON. Errors name the file, line and column, and say
// what a file is that was written for the platform. A connector_id may be left out: it becomes `connector_id`. What is
// wrong with the payloads, Validate says.
Result<SetPayloadCommand> ReadPayloadFile(const std::string& path, const std::string& connector_id);

}  // namespace kps
