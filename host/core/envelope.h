// Envelopes: connector.v1.TransportMessage on the wire, written and read without a protobuf library because this is
// the hot path. Layout: field 1, varint, timestamp in ns since the Unix epoch; field 3, bytes, repeated, the payloads.
// tests/core/envelope_test.cc compares every byte with what protobuf writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"
#include "host/core/message.h"

namespace kps {

// Appends the envelope of one payload to `out`.
void AppendEnvelope(const MessageView& message, std::string* out);
// Appends one more payload to the envelope at the end of `out`. The timestamp is that of the first.
void AppendPayload(std::string_view payload, std::string* out);
// The most bytes that one more payload takes.
inline std::size_t PayloadBytesMax(std::string_view payload) { return payload.size() + 11; }

// Replaces `messages` with the payloads of `envelope`; the views point into it. Unknown fields are skipped: what comes
// back from a pipeline may carry fields 2 and 4 of the older DataStreamMessage.
// INVALID_ARGUMENT: not a TransportMessage; the sentence says at which byte.
Error DecodeEnvelope(std::string_view envelope, std::vector<MessageView>* messages);
// Likewise, but they go behind what `messages` has; on failure it is as it was.
Error AppendDecoded(std::string_view envelope, std::vector<MessageView>* messages);

}  // namespace kps
