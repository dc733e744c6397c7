#include "host/transport/jetstream_acks.h"

#include <nats/nats.h>

#include <charconv>
#include <string_view>
#include <utility>

namespace kps {
namespace {

using std::chrono::steady_clock;

std::uint64_t TicketOf(std::string_view subject) {
  const std::size_t dot = subject.rfind('.');
  std::uint64_t ticket = 0;
  if (dot != std::string_view::npos) std::from_chars(subject.data() + dot + 1, subject.data() + subject.size(), ticket);
  return ticket;
}

}  // namespace

bool JetStreamAcks::Listen(const std::shared_ptr<NatsLink>& link) {
  reply_ = NewInbox() + ".";
  inbox_bytes_ = reply_.size();
  subscription_ = NatsLink::Subscribe(link, reply_ + "*");
  return subscription_ != nullptr;
}

std::uint64_t JetStreamAcks::Issue() {
  if (!outstanding()) waiting_since_ = steady_clock::now();
  char digits[24];
  reply_.resize(inbox_bytes_);
  reply_.append(digits, std::to_chars(digits, digits + sizeof digits, ++issued_).ptr);
  return issued_;
}

void JetStreamAcks::Withdraw() { --issued_; }

void JetStreamAcks::Poll(std::chrono::milliseconds timeout) {
  if (!subscription_) return;
  natsMsg* raw = nullptr;
  while (true) {
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription_.get(), timeout.count());
    if (status == NATS_NO_RESPONDERS) {
      // Which message it was is not told (3.4.1): any of those that are outstanding.
      Take(resolved_ + 1, {false, 0, "no stream holds the channel any more"});
    } else if (status == NATS_OK) {
      const std::unique_ptr<natsMsg, void (*)(natsMsg*)> message(raw, natsMsg_Destroy);
      const std::string_view text(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
      Take(TicketOf(natsMsg_GetSubject(raw)), ReadPubAck(text));
    } else {
      return;
    }
    timeout = std::chrono::milliseconds(0);
  }
}

void JetStreamAcks::Take(std::uint64_t ticket, PubAck ack) {
  if (ticket <= resolved_ || ticket > issued_) return;  // it was given up
  waiting_since_ = steady_clock::now();
  if (ack.stored) {
    Confirm(ticket);
  } else if (!refused_) {
    refused_ = true;
    refusal_ = std::move(ack);
  }
}

void JetStreamAcks::Confirm(std::uint64_t ticket) {
  // A cluster may answer out of turn: a duplicate at once, and what is new when its replicas have it.
  const std::uint64_t offset = ticket - resolved_ - 1;
  if (answered_.size() <= offset) answered_.resize(offset + 1, false);
  answered_[offset] = true;
  while (!answered_.empty() && answered_.front()) {
    answered_.pop_front();
    confirmed_ = ++resolved_;
  }
}

void JetStreamAcks::GiveUp() {
  resolved_ = issued_;
  answered_.clear();
  refused_ = false;
}

}  // namespace kps
