// Addresses as --listen has them.
#pragma once

#include <string>

#include "host/core/error.h"

namespace kps {

struct ListenAddress {
  std::string host;  // as it was written, with the brackets of IPv6
  int port = 0;      // 0: any
};

// Of "HOST:PORT". INVALID_ARGUMENT: it is none, with a sentence.
Result<ListenAddress> ParseListenAddress(const std::string& address);

}  // namespace kps
