#include "host/transport/nats_publisher.h"

#include <nats/nats.h>

#include <utility>

namespace kps {
namespace {

std::uint64_t NextSerial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

Error TooLarge(std::size_t bytes, std::size_t limit) {
  return Error(Code::kInvalidArgument, "an envelope of " + std::to_string(bytes) +
                                           " bytes is larger than the server's max_payload of " + std::to_string(limit) +
                                           " bytes");
}

}  // namespace

NatsPublisher::NatsPublisher(std::shared_ptr<NatsConnection> connection, std::string channel)
    : connection_(std::move(connection)), channel_(std::move(channel)), serial_(NextSerial()) {
  connection_->Add(this);
}

NatsPublisher::~NatsPublisher() { connection_->Remove(this); }

Result<std::uint64_t> NatsPublisher::Publish(std::string_view envelope) {
  if (const std::size_t limit = connection_->max_payload(); limit > 0 && envelope.size() > limit) {
    return TooLarge(envelope.size(), limit);
  }
  if (!connection_->connected()) return Error(Code::kUnavailable, connection_->DisconnectReason());
  std::uint64_t ticket = 0;
  {
    MutexLock lock(mutex_);
    // Read once, before the publish: the tag may be too old, never too new, and what is outstanding keeps its own.
    const std::uint64_t epoch = connection_->epoch();
    if (TakeLoss(epoch)) return Error(Code::kAborted, "the connection was lost: publish again what is not confirmed");
    epoch_ = epoch;
    const natsStatus status = natsConnection_Publish(connection_->handle(), channel_.c_str(), envelope.data(),
                                                     static_cast<int>(envelope.size()));
    if (status == NATS_MAX_PAYLOAD) {  // a server with another limit, whose connect was not told yet
      return TooLarge(envelope.size(), static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_->handle())));
    }
    if (status == NATS_INVALID_SUBJECT) return Error(Code::kFailedPrecondition, "NATS refuses the subject " + channel_);
    if (status != NATS_OK) return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(status));
    ticket = ++issued_;
  }
  connection_->WakeConfirmer();
  return ticket;
}

bool NatsPublisher::TakeLoss(std::uint64_t epoch) {
  if (!HasOutstandingLocked() || epoch_ == epoch) return false;
  resolved_ = issued_;
  return true;
}

Error NatsPublisher::AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (confirmed_ < ticket) {
    if (TakeLoss(connection_->epoch())) {
      return Error(Code::kAborted, "the connection was lost: publish again what is not confirmed");
    }
    if (std::chrono::steady_clock::now() >= deadline) return Error(Code::kDeadlineExceeded, "not confirmed yet");
    changed_.WaitUntil(mutex_, deadline);
  }
  return {};
}

std::uint64_t NatsPublisher::Outstanding(std::uint64_t epoch) {
  MutexLock lock(mutex_);
  return HasOutstandingLocked() && epoch_ == epoch ? issued_ : 0;
}

bool NatsPublisher::HasOutstanding() {
  MutexLock lock(mutex_);
  return HasOutstandingLocked();
}

void NatsPublisher::MarkConfirmed(std::uint64_t ticket) {
  MutexLock lock(mutex_);
  // A loss that was told in between wins: the caller is publishing everything again.
  if (resolved_ >= ticket) return;
  resolved_ = ticket;
  confirmed_ = ticket;
  changed_.NotifyAll();
}

void NatsPublisher::Notify() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

}  // namespace kps
