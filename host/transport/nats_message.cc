#include "host/transport/nats_message.h"

#include <nats/nats.h>

#include <algorithm>
#include <memory>

namespace kps {
namespace {

constexpr char kMessageId[] = "Nats-Msg-Id";
constexpr std::size_t kHeaderBytes = sizeof "NATS/1.0\r\n\r\n" - 1;  // around them
constexpr std::size_t kLineBytes = sizeof ": \r\n" - 1;

std::string OneLine(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return line;
}

}  // namespace

natsStatus PublishTo(natsConnection* connection, const char* channel, const char* reply, const Outgoing& outgoing) {
  const int bytes = static_cast<int>(outgoing.envelope.size());
  if (outgoing.message_id.empty() && outgoing.headers.empty()) {
    if (reply == nullptr) return natsConnection_Publish(connection, channel, outgoing.envelope.data(), bytes);
    return natsConnection_PublishRequest(connection, channel, reply, outgoing.envelope.data(), bytes);
  }
  natsMsg* raw = nullptr;
  natsStatus status = natsMsg_Create(&raw, channel, reply, outgoing.envelope.data(), bytes);
  const std::unique_ptr<natsMsg, void (*)(natsMsg*)> message(raw, natsMsg_Destroy);
  const auto set = [&](const std::string& name, const std::string& value) {
    if (status == NATS_OK) status = natsMsgHeader_Set(raw, name.c_str(), value.c_str());
  };
  if (!outgoing.message_id.empty()) set(kMessageId, OneLine(outgoing.message_id));
  for (const Header& header : outgoing.headers) set(OneLine(header.name), OneLine(header.value));
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection, raw);
  return status;
}

std::size_t WireBytes(const Outgoing& outgoing) {
  std::size_t headers = 0;
  if (!outgoing.message_id.empty()) headers += sizeof kMessageId - 1 + outgoing.message_id.size() + kLineBytes;
  for (const Header& header : outgoing.headers) headers += header.name.size() + header.value.size() + kLineBytes;
  return outgoing.envelope.size() + (headers == 0 ? 0 : headers + kHeaderBytes);
}

Error TooLarge(const Outgoing& outgoing, std::size_t limit) {
  const std::size_t headers = WireBytes(outgoing) - outgoing.envelope.size();
  const std::string with = headers == 0 ? "" : ", with headers of " + std::to_string(headers) + ",";
  return Error(Code::kInvalidArgument, "an envelope of " + std::to_string(outgoing.envelope.size()) + " bytes" + with +
                                           " is larger than the server's max_payload of " + std::to_string(limit) +
                                           " bytes");
}

}  // namespace kps
