#include "host/transport/nats_publisher.h"

#include <nats/nats.h>

#include <optional>
#include <utility>

#include "host/transport/nats_message.h"

namespace kps {
namespace {

std::uint64_t NextSerial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

Error Lost() { return Error(Code::kAborted, "the connection was lost: publish again what is not confirmed"); }

}  // namespace

NatsPublisher::NatsPublisher(std::shared_ptr<NatsConnection> connection, std::string channel)
    : connection_(std::move(connection)), channel_(std::move(channel)), serial_(NextSerial()) {
  connection_->Add(this);
}

NatsPublisher::~NatsPublisher() { connection_->Remove(this); }

Result<std::uint64_t> NatsPublisher::Publish(const Outgoing& asked) {
  Outgoing outgoing = asked;
  outgoing.message_id = {};  // nobody would look at it
  const std::size_t bytes = WireBytes(outgoing);
  if (refused_) {
    connection_->CountPublishError();
    return Refused();
  }
  if (const std::size_t limit = connection_->max_payload(); limit > 0 && bytes > limit) {
    connection_->CountPublishError();
    return TooLarge(outgoing, limit);
  }
  if (Error error = TakeLink(); !error.ok()) return error;
  if (!link_->WaitForRoom(bytes)) {
    return Error(Code::kResourceExhausted, "the NATS server is slow to take what is published");
  }
  const natsStatus status = [&] {
    // With nothing on its way, latency counts; otherwise throughput does.
    const NatsLoop::WriteAtOnce at_once(issued_ == confirmed_ ? link_->loop() : nullptr);
    return PublishTo(link_->handle(), channel_.c_str(), nullptr, outgoing);
  }();
  if (status != NATS_OK) return Describe(status, outgoing);
  const std::uint64_t ticket = ++issued_;
  connection_->WakeUp();
  return ticket;
}

Error NatsPublisher::TakeLink() {
  if (link_ && !link_->over()) return {};
  {
    MutexLock lock(mutex_);
    if (TakeLoss()) return Lost();
  }
  link_ = connection_->link();
  if (link_ && !link_->over()) {
    link_serial_ = link_->serial();
    return {};
  }
  connection_->CountPublishError();
  const std::string reason = connection_->DisconnectReason();
  return Error(Code::kUnavailable, reason.empty() ? "the connection to NATS is lost" : reason);
}

Error NatsPublisher::Describe(int status, const Outgoing& outgoing) {
  connection_->CountPublishError();
  switch (static_cast<natsStatus>(status)) {
    case NATS_MAX_PAYLOAD:  // the server has another limit now
      return TooLarge(outgoing, link_->MaxPayload());
    case NATS_INVALID_SUBJECT: return Error(Code::kFailedPrecondition, "NATS refuses the subject " + channel_);
    case NATS_TIMEOUT: return Error(Code::kResourceExhausted, "the NATS server is slow to take what is published");
    default:
      return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(static_cast<natsStatus>(status)));
  }
}

Error NatsPublisher::Refused() const { return NotPermitted(NatsRefusal::Of::kPublish, channel_); }

bool NatsPublisher::TakeLoss() {
  if (issued_ == resolved_ || !link_->over()) return false;
  resolved_ = issued_;
  return true;
}

Error NatsPublisher::AwaitConfirmed(std::uint64_t ticket, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::optional<NatsConnection::Waiting> waiting;
  if (timeout.count() > 0 && confirmed_ < ticket) waiting.emplace(connection_.get());
  MutexLock lock(mutex_);
  while (confirmed_ < ticket) {
    if (refused_) return Refused();
    if (TakeLoss()) return Lost();
    if (std::chrono::steady_clock::now() >= deadline) return Error(Code::kDeadlineExceeded, "not confirmed yet");
    changed_.WaitUntil(mutex_, deadline);
  }
  return {};
}

std::uint64_t NatsPublisher::Outstanding(const NatsLink& link) {
  MutexLock lock(mutex_);
  const std::uint64_t issued = issued_;
  return issued > resolved_ && link_serial_ == link.serial() ? issued : 0;
}

bool NatsPublisher::HasOutstanding() {
  MutexLock lock(mutex_);
  return issued_ > resolved_;
}

void NatsPublisher::MarkConfirmed(std::uint64_t ticket) {
  MutexLock lock(mutex_);
  // A loss that was told in between wins: the caller is publishing everything again.
  if (resolved_ >= ticket || refused_) return;
  resolved_ = ticket;
  confirmed_ = ticket;
  changed_.NotifyAll();
}

void NatsPublisher::Refuse(const std::string& channel) {
  if (channel != channel_) return;
  MutexLock lock(mutex_);
  refused_ = true;
  resolved_ = issued_;
  changed_.NotifyAll();
}

void NatsPublisher::Notify() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

}  // namespace kps
