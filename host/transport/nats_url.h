// NATS server URLs, as --transport takes them. Internal to host/transport.
#pragma once

#include <string>
#include <vector>

#include "host/core/error.h"

namespace kps {

// "nats://a:4222,nats://b" -> its parts. INVALID_ARGUMENT: a part names no host, or a port that cannot be.
Result<std::vector<std::string>> SplitNatsUrls(const std::string& urls);

// For logs and reasons, which are read by more people than the password is for.
std::string WithoutCredentials(const std::string& urls);

}  // namespace kps
