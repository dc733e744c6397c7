// The bytes of a call to a message of the contract. Internal to host/grpc.
#pragma once

#include <optional>
#include <string_view>

#include "host/core/validate.h"

namespace google::protobuf {
class Message;
}

namespace kps {

// Fills `request`, or says what in the bytes is wrong. gRPC itself would answer INTERNAL, and no reason. Takes little
// stack, whatever the bytes are.
std::optional<Violation> ParseRequest(std::string_view bytes, google::protobuf::Message* request);

}  // namespace kps
