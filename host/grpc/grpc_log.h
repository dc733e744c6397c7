// What gRPC and protobuf print by themselves.
#pragma once

namespace kps {

// Nothing, from here on: it would stand between our own lines, in another format, and what matters comes back as a
// result. Of the process; before its first server or channel.
void SilenceGrpc();

}  // namespace kps
