// Any bytes as an envelope: the decoder never crashes, stays inside of them, and agrees with protobuf.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/v1/connector.pb.h"
#include "host/core/envelope.h"
#include "tests/fuzz/check.h"

namespace kps {
namespace {

using connector::v1::TransportMessage;

bool IsInside(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> at_most;
  return at_most(whole.data(), part.data()) && at_most(part.data() + part.size(), whole.data() + whole.size());
}

// Nobody sends groups: they are skipped, with less deep nesting than protobuf takes. No more than this many begin in
// `bytes`.
std::ptrdiff_t Groups(std::string_view bytes) {
  return std::count_if(bytes.begin(), bytes.end(), [](char byte) { return (byte & 7) == 3; });
}

void CheckEqual(const std::vector<MessageView>& messages, const TransportMessage& expected) {
  KPS_FUZZ_CHECK(messages.size() == static_cast<std::size_t>(expected.payload_size()));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    KPS_FUZZ_CHECK(messages[i].payload == expected.payload(static_cast<int>(i)));
    KPS_FUZZ_CHECK(messages[i].timestamp_ns == expected.timestamp());
  }
}

void Decode(std::string_view bytes) {
  std::vector<MessageView> messages{{"stale", 1}};
  const Error error = DecodeEnvelope(bytes, &messages);
  if (error.ok()) {
    for (const MessageView& message : messages) KPS_FUZZ_CHECK(IsInside(message.payload, bytes));
  } else {
    KPS_FUZZ_CHECK(error.code() == Code::kInvalidArgument && !error.message().empty());
  }
  TransportMessage parsed;
  if (!parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  if (error.ok()) CheckEqual(messages, parsed);
  // Each reads a little that nobody writes and the other refuses, such as tags in more bytes than they need. What
  // protobuf writes, unknown fields and all, we read.
  const std::string written = parsed.SerializeAsString();
  if (Groups(written) > 64) return;
  KPS_FUZZ_CHECK(DecodeEnvelope(written, &messages).ok());
  CheckEqual(messages, parsed);
}

// The first eight bytes are the timestamp, the rest is the payload.
void EncodeAndDecode(std::string_view bytes) {
  std::int64_t timestamp_ns = 0;
  if (bytes.size() >= sizeof timestamp_ns) {
    std::memcpy(&timestamp_ns, bytes.data(), sizeof timestamp_ns);
    bytes.remove_prefix(sizeof timestamp_ns);
  }
  std::string envelope;
  AppendEnvelope({bytes, timestamp_ns}, &envelope);
  std::vector<MessageView> messages;
  KPS_FUZZ_CHECK(DecodeEnvelope(envelope, &messages).ok());
  KPS_FUZZ_CHECK(messages.size() == 1);
  KPS_FUZZ_CHECK(messages[0].payload == bytes && messages[0].timestamp_ns == timestamp_ns);
  TransportMessage expected;
  expected.set_timestamp(timestamp_ns);
  expected.add_payload(std::string(bytes));
  KPS_FUZZ_CHECK(envelope == expected.SerializeAsString());
}

}  // namespace
}  // namespace kps

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kps::Decode(bytes);
  kps::EncodeAndDecode(bytes);
  return 0;
}
