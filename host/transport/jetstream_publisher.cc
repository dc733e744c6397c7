#include "host/transport/jetstream_publisher.h"

#include <nats/nats.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "host/transport/nats_message.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A wait for an answer sees within this that the link is over.
constexpr milliseconds kWaitPiece{50};
// How long Publish may wait for a word on the envelope that is published alone.
constexpr milliseconds kProbeWait{100};
constexpr unsigned kPublishesPerPoll = 16;
constexpr int kMessageTooLarge = 10054;  // for the stream's max_msg_size

constexpr char kSlow[] = "the NATS server is slow to take what is published";

}  // namespace

JetStreamPublisher::JetStreamPublisher(std::shared_ptr<JetStreamStreams> streams, std::string channel)
    : streams_(std::move(streams)),
      channel_(std::move(channel)),
      refusals_seen_(streams_->connection().refusals().count()),
      acks_(std::make_unique<JetStreamAcks>()) {}

Error JetStreamPublisher::CheckPermitted() {
  constexpr auto kPublish = NatsRefusal::Of::kPublish;
  const NatsRefusals& refusals = streams_->connection().refusals();
  if (const std::uint64_t count = refusals.count(); count != refusals_seen_) {
    refused_ = refused_ || refusals.Since(refusals_seen_, kPublish, channel_);
    refusals_seen_ = count;
  }
  return refused_ ? NotPermitted(kPublish, channel_) : Error();
}

Result<std::uint64_t> JetStreamPublisher::Publish(const Outgoing& outgoing) {
  if (Error error = CheckPermitted(); !error.ok()) return error;
  const std::size_t limit = streams_->connection().max_payload();
  if (limit > 0 && WireBytes(outgoing) > limit) {
    streams_->connection().CountPublishError();
    return TooLarge(outgoing, limit);
  }
  if (probing_ || ++publishes_ >= kPublishesPerPoll) {
    publishes_ = 0;
    acks_->Poll(acks_->outstanding() && probing_ ? kProbeWait : milliseconds(0));
  }
  Look();
  if (!to_show_.empty()) return Error(Code::kUnavailable, std::exchange(to_show_, ""));
  if (!lost_.empty()) return TellLoss();
  if (Error error = TakeLink(); !error.ok()) return error;
  if (probing_ && acks_->outstanding()) return Error(Code::kResourceExhausted, "the stream is slow to answer");
  if (!link_->WaitForRoom(WireBytes(outgoing))) return Error(Code::kResourceExhausted, kSlow);
  const std::uint64_t ticket = acks_->Issue();
  const natsStatus status = PublishTo(link_->handle(), channel_.c_str(), acks_->reply(), outgoing);
  if (status != NATS_OK) {
    acks_->Withdraw();
    return Describe(status, outgoing);
  }
  if (probing_) {
    probe_ = ticket;
    if (Error error = AwaitProbe(); !error.ok()) return error;
  }
  return ticket;
}

void JetStreamPublisher::Look() {
  if (probe_ > 0 && acks_->confirmed() >= probe_) {
    probing_ = false;
    probe_ = 0;
  }
  if (!acks_->outstanding()) return;
  if (const PubAck* refusal = acks_->refusal()) {
    const std::string code = refusal->error_code == 0 ? "" : " (" + std::to_string(refusal->error_code) + ")";
    Lose("JetStream: the stream " + stream_ + " of channel " + channel_ +
         " refuses what is published: " + refusal->reason + code);
  } else if (link_->over()) {
    lost_ = "the connection was lost";
    acks_->GiveUp();
    probe_ = 0;
  } else if (steady_clock::now() - acks_->waiting_since() > streams_->options().confirm_timeout) {
    Lose("JetStream: the stream " + stream_ + " of channel " + channel_ + " does not answer");
  }
}

void JetStreamPublisher::Lose(std::string why) {
  streams_->connection().CountPublishError();
  lost_ = to_show_ = std::move(why);
  acks_->GiveUp();
  stream_.clear();  // it may be another by now
  probing_ = true;
  probe_ = 0;
}

Error JetStreamPublisher::TellLoss() {
  return Error(Code::kAborted, std::exchange(lost_, "") + ": publish again what is not confirmed");
}

Error JetStreamPublisher::AwaitProbe() {
  const auto deadline = steady_clock::now() + kProbeWait;
  while (acks_->outstanding() && acks_->refusal() == nullptr && steady_clock::now() < deadline) {
    acks_->Poll(kWaitPiece);
  }
  const bool too_large = acks_->refusal() != nullptr && acks_->refusal()->error_code == kMessageTooLarge;
  Look();
  if (to_show_.empty()) return {};  // confirmed, or there is no word yet
  lost_.clear();                    // nothing but this was outstanding, and its caller has no ticket
  return Error(too_large ? Code::kInvalidArgument : Code::kUnavailable, std::exchange(to_show_, ""));
}

Error JetStreamPublisher::TakeLink() {
  if (link_ && !link_->over() && !stream_.empty()) return {};
  if (!link_ || link_->over()) {
    link_ = streams_->connection().link();
    if (!link_ || link_->over() || !acks_->Listen(link_)) {
      streams_->connection().CountPublishError();
      const std::string reason = streams_->connection().DisconnectReason();
      return Error(Code::kUnavailable, reason.empty() ? "the connection to NATS is lost" : reason);
    }
    stream_.clear();
  }
  auto bound = streams_->Bind(*link_, channel_);
  if (bound.ok()) {
    stream_ = bound.value().name;
    return {};
  }
  streams_->connection().CountPublishError();
  return bound.error();
}

Error JetStreamPublisher::Describe(int status, const Outgoing& outgoing) {
  streams_->connection().CountPublishError();
  switch (static_cast<natsStatus>(status)) {
    case NATS_MAX_PAYLOAD:  // the server has another limit now
      return TooLarge(outgoing, link_->MaxPayload());
    case NATS_INVALID_SUBJECT: return Error(Code::kFailedPrecondition, "NATS refuses the subject " + channel_);
    case NATS_TIMEOUT: return Error(Code::kResourceExhausted, kSlow);
    default:
      return Error(Code::kUnavailable, std::string("NATS: ") + natsStatus_GetText(static_cast<natsStatus>(status)));
  }
}

std::uint64_t JetStreamPublisher::Confirmed() const {
  acks_->Poll(milliseconds(0));
  return acks_->confirmed();
}

Error JetStreamPublisher::AwaitConfirmed(std::uint64_t ticket, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  acks_->Poll(milliseconds(0));
  while (acks_->confirmed() < ticket) {
    if (Error error = CheckPermitted(); !error.ok()) return error;
    Look();
    if (!lost_.empty()) return TellLoss();
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) return Error(Code::kDeadlineExceeded, "not confirmed yet");
    const auto piece = std::min(left, kWaitPiece);
    if (acks_->outstanding()) {
      acks_->Poll(piece);
    } else {
      std::this_thread::sleep_for(piece);  // nothing can come before the caller publishes
    }
  }
  return {};
}

}  // namespace kps
