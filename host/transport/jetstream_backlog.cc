#include "host/transport/jetstream_backlog.h"

#include <nats/nats.h>

#include <algorithm>
#include <utility>

namespace kps {
namespace {

// More are not asked for again: a stream that holds many channels has such gaps without anything missing.
constexpr std::uint64_t kGapMax = 8192;
// What a link may have in it that the server has not seen. More than that comes again after the ack wait, and is known.
constexpr std::size_t kToldMax = 1024;

}  // namespace

const char* JetStreamBacklog::Item::reply() const {
  return newer_reply.empty() ? natsMsg_GetReply(message.get()) : newer_reply.c_str();
}

JetStreamBacklog::Arrival JetStreamBacklog::Add(MessagePtr&& message, Clock::time_point now) {
  const char* const reply = natsMsg_GetReply(message.get());
  const auto as = ReadDeliveredAs(reply == nullptr ? "" : reply);
  if (!as) return Arrival::kForeign;
  // A number that was seen, on a later message: the server has lost its newest messages and gives their numbers anew.
  if (as->stream_sequence <= newest_.stream_sequence && as->stored_at_ns > newest_.stored_at_ns) ForgetNumbers();
  const std::uint64_t due = last_consumer_sequence_ + 1;
  last_consumer_sequence_ = as->consumer_sequence;
  if (acknowledged_.Contains(as->stream_sequence)) return Arrival::kAcknowledged;
  if (Item* const here = as->stream_sequence <= newest_.stream_sequence ? FindHere(as->stream_sequence) : nullptr) {
    if (std::exchange(here->stale, false)) here->newer_reply = reply;
    return Arrival::kHere;
  }
  const auto bytes = static_cast<std::size_t>(natsMsg_GetDataLength(message.get()));
  Item item{std::move(message), bytes, *as, now, stream_};
  bytes_ += bytes;
  if (Parks(item, as->consumer_sequence > due ? as->consumer_sequence - due : 0)) {
    parked_.emplace(as->stream_sequence, std::move(item));
    if (missing_ == 0) Unpark(Clock::time_point::max());
  } else {
    queue_.push_back(std::move(item));
  }
  return Arrival::kNew;
}

bool JetStreamBacklog::Parks(const Item& item, std::uint64_t skipped) {
  const std::uint64_t sequence = item.as.stream_sequence;
  const std::uint64_t before = newest_.stream_sequence;
  if (sequence > before) newest_ = item.as;
  if (missing_ > 0) {
    if (sequence < missing_before_) --missing_;
    return true;
  }
  if (sequence <= before) return false;
  const auto want = std::exchange(want_, nullptr);  // this one shows it
  const std::uint64_t between = sequence - before - 1;
  if (!want || before == 0 || skipped == 0 || between == 0 || between > kGapMax) return false;
  missing_ = std::min(skipped, between);
  missing_before_ = sequence;
  parked_until_ = item.refreshed_at + gap_wait_;
  for (std::uint64_t each = before + 1; each < sequence; ++each) {
    want(ReplyOfOther(item.reply(), each));
  }
  return true;
}

void JetStreamBacklog::ExpectGap(std::function<void(const std::string& reply)> want, Clock::duration wait) {
  want_ = std::move(want);
  gap_wait_ = wait;
}

void JetStreamBacklog::Expect(std::uint64_t count, std::uint64_t last, Clock::time_point until) {
  missing_ = count;
  missing_before_ = last + 1;
  parked_until_ = until;
}

void JetStreamBacklog::Unpark(Clock::time_point now) {
  if (now < parked_until_) return;
  for (auto& [sequence, item] : parked_) queue_.push_back(std::move(item));
  parked_.clear();
  missing_ = 0;
}

const JetStreamBacklog::Item* JetStreamBacklog::Take(Clock::time_point now) {
  Unpark(now);
  if (queue_.empty()) return nullptr;
  taken_.push_back(std::move(queue_.front()));
  queue_.pop_front();
  ++next_receipt_;
  return &taken_.back();
}

void JetStreamBacklog::Acknowledge(std::uint64_t receipt, const Tell& acknowledge) {
  while (!taken_.empty() && next_receipt_ - taken_.size() <= receipt) {
    Item& item = taken_.front();
    if (item.stream == stream_) acknowledged_.Add(item.as.stream_sequence);
    if (!item.stale) {
      acknowledge(item.reply());
      told_.emplace_back(item.reply());
      if (told_.size() > kToldMax) told_.pop_front();
    }
    bytes_ -= item.bytes;
    taken_.pop_front();
  }
}

void JetStreamBacklog::TellAgain(const Tell& acknowledge) const {
  for (const std::string& reply : told_) acknowledge(reply.c_str());
}

void JetStreamBacklog::Return() {
  while (!taken_.empty()) {
    queue_.push_front(std::move(taken_.back()));
    taken_.pop_back();
  }
}

void JetStreamBacklog::ForEach(const std::function<void(Item&)>& each) {
  for (Item& item : taken_) each(item);
  for (Item& item : queue_) each(item);
  for (auto& [sequence, item] : parked_) each(item);
}

void JetStreamBacklog::ForgetDeliveries() {
  Unpark(Clock::time_point::max());
  ForEach([](Item& item) { item.stale = true; });
  told_.clear();
  last_consumer_sequence_ = 0;
  want_ = nullptr;
}

void JetStreamBacklog::ForgetDeliveriesAfter(std::uint64_t stream_sequence, std::uint64_t deliveries) {
  const auto unknown = [&](const char* reply) {
    const auto as = ReadDeliveredAs(reply);
    return !as || as->stream_sequence > stream_sequence || as->consumer_sequence > deliveries;
  };
  ForEach([&](Item& item) { item.stale = item.stale || unknown(item.reply()); });
  std::erase_if(told_, [&](const std::string& reply) { return unknown(reply.c_str()); });
}

void JetStreamBacklog::ForgetNumbers() {
  ForgetDeliveries();
  ++stream_;
  acknowledged_.Clear();
  newest_ = {};
}

JetStreamBacklog::Item* JetStreamBacklog::FindHere(std::uint64_t stream_sequence) {
  const auto is_it = [&](const Item& item) {
    return item.as.stream_sequence == stream_sequence && item.stream == stream_;
  };
  if (const auto parked = parked_.find(stream_sequence); parked != parked_.end()) return &parked->second;
  for (std::deque<Item>* items : {&taken_, &queue_}) {
    if (const auto found = std::find_if(items->begin(), items->end(), is_it); found != items->end()) return &*found;
  }
  return nullptr;
}

}  // namespace kps
