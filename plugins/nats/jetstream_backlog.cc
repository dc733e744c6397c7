#include "jetstream_backlog.h"

#include <algorithm>
#include <utility>

namespace kps::plugins {

JetStreamBacklog::Arrival JetStreamBacklog::add(NatsMessage&& message, Clock::time_point now) {
  const char* const reply = natsMsg_GetReply(message.get());
  const auto delivery = reply == nullptr ? std::nullopt : read_delivery(reply);
  if (!delivery) return Arrival::kForeign;
  // Nearly all are newer than all before.
  if (delivery->sequence <= newest_) {
    if (acknowledged_.contains(delivery->sequence)) return Arrival::kAcknowledged;
    if (Item* const here = find_here(delivery->sequence)) {
      if (std::exchange(here->unknown, false)) here->newer_reply = reply;
      return Arrival::kHere;
    }
  }
  newest_ = std::max(newest_, delivery->sequence);
  Item item{std::move(message), *delivery, 0, now, stream_};
  waiting_bytes_ += item.size();
  if (expected_ == 0) {
    waiting_.push_back(std::move(item));
    return Arrival::kNew;
  }
  if (delivery->sequence <= expected_last_) --expected_;
  parked_.emplace(delivery->sequence, std::move(item));
  if (expected_ == 0) unpark();
  return Arrival::kNew;
}

JetStreamBacklog::Item* JetStreamBacklog::find_here(uint64_t sequence) {
  const auto same = [&](const Item& item) { return item.stream == stream_ && item.delivery.sequence == sequence; };
  if (const auto parked = parked_.find(sequence); parked != parked_.end()) return &parked->second;
  for (std::deque<Item>* items : {&waiting_, &given_}) {
    if (const auto found = std::find_if(items->begin(), items->end(), same); found != items->end()) return &*found;
  }
  return nullptr;
}

void JetStreamBacklog::forget_deliveries_after(uint64_t sequence, uint64_t deliveries) {
  for_each_of_stream([&](Item& item) {
    const auto delivery = read_delivery(item.reply());
    item.unknown = item.unknown || !delivery || delivery->sequence > sequence || delivery->number > deliveries;
  });
}

void JetStreamBacklog::unpark() {
  expected_ = 0;
  for (auto& [sequence, item] : parked_) waiting_.push_back(std::move(item));
  parked_.clear();
}

void JetStreamBacklog::expect(uint64_t count, uint64_t last, Clock::time_point until) {
  if (expected_ > 0) unpark();
  expected_ = count;
  expected_last_ = last;
  expected_until_ = until;
}

const JetStreamBacklog::Item* JetStreamBacklog::front(Clock::time_point now) {
  if (expected_ > 0 && now >= expected_until_) unpark();
  return waiting_.empty() ? nullptr : &waiting_.front();
}

const JetStreamBacklog::Item& JetStreamBacklog::take(uint64_t token) {
  waiting_.front().token = token;
  waiting_bytes_ -= waiting_.front().size();
  given_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return given_.back();
}

std::vector<JetStreamBacklog::Item> JetStreamBacklog::acknowledge(uint64_t token) {
  std::vector<Item> items;
  for (; !given_.empty() && given_.front().token <= token; given_.pop_front()) {
    Item& item = given_.front();
    if (item.stream != stream_) continue;  // of a stream that is gone: nobody takes word of it
    acknowledged_.add(item.delivery.sequence);
    items.push_back(std::move(item));
  }
  return items;
}

JetStreamBacklog::Gap JetStreamBacklog::gap(uint64_t floor, uint64_t last) const {
  std::vector<uint64_t> here;
  for (const std::deque<Item>* items : {&given_, &waiting_}) {
    for (const Item& item : *items) {
      if (item.stream == stream_) here.push_back(item.delivery.sequence);
    }
  }
  for (const auto& [sequence, item] : parked_) here.push_back(sequence);
  std::sort(here.begin(), here.end());
  Gap gap;
  for (uint64_t sequence = floor + 1; sequence <= last; ++sequence) {
    if (acknowledged_.contains(sequence)) {
      gap.acknowledged.push_back(sequence);
    } else if (std::binary_search(here.begin(), here.end(), sequence)) {
      ++gap.here;
    } else {
      gap.missing.push_back(sequence);
    }
  }
  return gap;
}

void JetStreamBacklog::forget_sequences() {
  unpark();
  ++stream_;
  newest_ = 0;
  acknowledged_.clear();
}

}  // namespace kps::plugins
