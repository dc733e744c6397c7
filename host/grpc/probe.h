// Asks a running host whether it is ready, as a container's health check does.
#pragma once

#include <chrono>
#include <string>

#include "host/core/error.h"

namespace kps {

// Asks the host that listens on `listen` (as --listen has it; 0.0.0.0 and [::] are asked on the loopback) by
// grpc.health.v1, and waits for at most `timeout`. The address that answered that it is SERVING. INVALID_ARGUMENT:
// nobody can be asked there; UNAVAILABLE: there is no answer, or another one, with a sentence for the operator.
Result<std::string> Probe(const std::string& listen, std::chrono::milliseconds timeout);

}  // namespace kps
