#include "host/core/window.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "host/core/envelope.h"

namespace kps {
namespace {

void AppendNumber(std::uint64_t number, std::string* out) {
  char text[20];
  out->append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace

Window::Window(Limits limits, std::string run, std::string own)
    : limits_(limits), run_(std::move(run)), own_(std::move(own)), slots_(limits.batches_max) {}

void Window::Push(const Batch& batch, std::int64_t now_ns, TimePoint accepted_at, std::size_t envelope_bytes_max) {
  SlotData& slot = Slot(size_++);
  slot.envelopes.clear();
  slot.ids.clear();
  slot.items.clear();
  slot.published = 0;
  slot.ticket = 0;
  slot.token = batch.token;
  slot.accepted_at = accepted_at;
  slot.position.assign(batch.position);
  const MessageView* first = nullptr;  // of the envelope that is being filled
  Item item{};
  for (const MessageView& message : batch.messages) {
    const bool fits = first != nullptr && item.messages < limits_.envelope_messages_max &&
                      first->timestamp_ns == message.timestamp_ns && first->id.empty() == message.id.empty() &&
                      (envelope_bytes_max == 0 ||
                       slot.envelopes.size() - item.envelope + PayloadBytesMax(message.payload) <= envelope_bytes_max);
    if (fits) {
      AppendPayload(message.payload, &slot.envelopes);
      ++item.messages;
      continue;
    }
    if (first != nullptr) Finish(item, first->id, &slot);
    first = &message;
    item = {slot.envelopes.size(), 0, 0, 0, 1};
    AppendEnvelope({message.payload, message.timestamp_ns == 0 ? now_ns : message.timestamp_ns}, &slot.envelopes);
  }
  if (first != nullptr) Finish(item, first->id, &slot);
  bytes_ += slot.envelopes.size();
}

void Window::Finish(Item item, std::string_view id, SlotData* slot) {
  item.envelope_size = slot->envelopes.size() - item.envelope;
  item.id = slot->ids.size();
  if (!own_.empty()) AppendId(id, item.messages, &slot->ids);
  item.id_size = slot->ids.size() - item.id;
  slot->items.push_back(item);
}

void Window::AppendId(std::string_view id, std::size_t messages, std::string* ids) {
  ids->append(id.empty() ? own_ : run_);
  if (messages > 1) {
    ids->push_back('*');
    AppendNumber(messages, ids);
  }
  ids->push_back('.');
  if (id.empty()) {
    AppendNumber(++numbered_, ids);
  } else {
    ids->append(id);
  }
}

Outgoing Window::View(const SlotData& slot, const Item& item) {
  return {.envelope = std::string_view(slot.envelopes).substr(item.envelope, item.envelope_size),
          .message_id = std::string_view(slot.ids).substr(item.id, item.id_size)};
}

Error Window::PublishTo(Publisher* publisher) {
  for (; next_ < size_; ++next_) {
    SlotData& slot = Slot(next_);
    while (slot.published < slot.items.size()) {
      auto ticket = publisher->Publish(View(slot, slot.items[slot.published]));
      if (!ticket.ok()) return ticket.error();
      last_ticket_ = ticket.value();
      ++slot.published;
    }
    // Also of one of which nothing is left: it is through with the one before it.
    slot.ticket = last_ticket_;
  }
  return {};
}

bool Window::SplitRefused() {
  SlotData& slot = Slot(next_);
  const auto refused = slot.items.begin() + static_cast<std::ptrdiff_t>(slot.published);
  const Item item = *refused;
  if (item.messages == 1) return false;
  // Its messages go to the end of the buffers, and to its place in the order.
  const std::string envelope(View(slot, item).envelope);
  std::vector<MessageView> messages;
  (void)DecodeEnvelope(envelope, &messages);  // it was made here
  slot.items.erase(refused);
  const auto before = static_cast<std::ptrdiff_t>(slot.items.size());
  bytes_ -= slot.envelopes.size();
  const std::span<const MessageView> all(messages);
  const std::size_t half = messages.size() / 2;
  for (const auto& part : {all.first(half), all.subspan(half)}) {
    const Item begun{slot.envelopes.size(), 0, 0, 0, part.size()};
    AppendEnvelope(part.front(), &slot.envelopes);
    for (const MessageView& message : part.subspan(1)) AppendPayload(message.payload, &slot.envelopes);
    Finish(begun, "", &slot);  // the ids of its messages are not known any more
  }
  bytes_ += slot.envelopes.size();
  std::rotate(slot.items.begin() + static_cast<std::ptrdiff_t>(slot.published), slot.items.begin() + before,
              slot.items.end());
  return true;
}

std::size_t Window::SkipRefused() {
  SlotData& slot = Slot(next_);
  const auto refused = slot.items.begin() + static_cast<std::ptrdiff_t>(slot.published);
  const std::size_t size = refused->envelope_size;
  slot.items.erase(refused);
  return size;
}

std::size_t Window::MessagesOf(const SlotData& slot) {
  std::size_t count = 0;
  for (const Item& item : slot.items) count += item.messages;
  return count;
}

std::size_t Window::message_count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size_; ++i) count += MessagesOf(Slot(i));
  return count;
}

void Window::ForgetTokens() {
  for (std::size_t i = 0; i < size_; ++i) Slot(i).token.reset();
}

void Window::Rewind() {
  for (std::size_t i = 0; i < size_; ++i) {
    Slot(i).published = 0;
    Slot(i).ticket = 0;
  }
  next_ = 0;
  last_ticket_ = 0;
}

bool Window::PopConfirmed(std::uint64_t ticket, Confirmed* confirmed) {
  if (next_ == 0 || Slot(0).ticket > ticket) return false;
  SlotData& slot = Slot(0);
  *confirmed = {slot.token, slot.position, MessagesOf(slot), slot.accepted_at};
  bytes_ -= slot.envelopes.size();
  first_ = (first_ + 1) % slots_.size();
  --size_;
  --next_;
  return true;
}

}  // namespace kps
