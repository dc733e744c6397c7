// What waits for an answer of the server.
#include <algorithm>

#include "nats_connection.h"
#include "nats_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

constexpr milliseconds kRequestMax{2000};
// A wait for an answer sees within this that the connection is over.
constexpr milliseconds kRequestPiece{50};

}  // namespace

bool NatsConnection::round_trip(milliseconds timeout) {
  const natsStatus status = natsConnection_FlushTimeout(handle_, std::max<int64_t>(timeout.count(), 1));
  // Nothing else is waited for then: with TLS, a read may be stuck in the middle of a record, with io_mutex_.
  if (status == NATS_TIMEOUT) return false;
  look_for_refusal();  // what was read before the answer may not have been looked at yet
  check();             // OK is also what a PING gets that could not be written (3.4.1)
  return status == NATS_OK;
}

std::optional<std::string> NatsConnection::request(const std::string& subject, const std::string& text) {
  const std::string inbox = new_inbox();
  natsSubscription* raw = nullptr;
  require(natsConnection_SubscribeSync(&raw, handle_, inbox.c_str()), "subscribe to an inbox");
  const auto destroy = [this](natsSubscription* subscription) {
    // libnats (3.4.1) looks up a message's subscription and then uses it without holding it. Once it is not found any
    // more, and what was being read is done with, nobody uses it.
    (void)natsSubscription_Unsubscribe(subscription);
    { const std::lock_guard lock(io_mutex_); }
    natsSubscription_Destroy(subscription);
  };
  const std::unique_ptr<natsSubscription, decltype(destroy)> subscription(raw, destroy);
  publish(subject.c_str(), inbox.c_str(), text.data(), text.size());
  const auto deadline = Clock::now() + kRequestMax;
  while (Clock::now() < deadline) {
    check();
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, raw, kRequestPiece.count());
    if (status == NATS_NO_RESPONDERS) return std::nullopt;
    const NatsMessage owned(message);
    if (status == NATS_OK)
      return std::string(natsMsg_GetData(message), static_cast<size_t>(natsMsg_GetDataLength(message)));
  }
  throw Failure(KPS_UNAVAILABLE, "no answer to " + subject + " from " + where_);
}

std::string new_inbox() {
  char* inbox = nullptr;
  require(natsInbox_Create(&inbox), "make an inbox");
  std::string copy(inbox);
  natsInbox_Destroy(inbox);
  return copy;
}

}  // namespace kps::plugins
