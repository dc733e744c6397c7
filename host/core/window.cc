#include "host/core/window.h"

#include "host/core/envelope.h"

namespace kps {

Window::Window(Limits limits) : limits_(limits), slots_(limits.batches_max) {}

void Window::Push(const Batch& batch, std::int64_t now_ns) {
  SlotData& slot = Slot(size_++);
  slot.envelopes.clear();
  slot.ends.clear();
  slot.published = 0;
  slot.ticket = 0;
  slot.token = batch.token;
  slot.position.assign(batch.position);
  for (MessageView message : batch.messages) {
    if (message.timestamp_ns == 0) message.timestamp_ns = now_ns;
    AppendEnvelope(message, &slot.envelopes);
    slot.ends.push_back(slot.envelopes.size());
  }
  bytes_ += slot.envelopes.size();
}

Error Window::PublishTo(Publisher* publisher) {
  for (; next_ < size_; ++next_) {
    SlotData& slot = Slot(next_);
    while (slot.published < slot.ends.size()) {
      const std::size_t start = slot.published == 0 ? 0 : slot.ends[slot.published - 1];
      const std::size_t end = slot.ends[slot.published];
      auto ticket = publisher->Publish(std::string_view(slot.envelopes).substr(start, end - start));
      if (!ticket.ok()) return ticket.error();
      slot.ticket = ticket.value();
      ++slot.published;
    }
  }
  return {};
}

std::size_t Window::SkipRefused() {
  SlotData& slot = Slot(next_);
  const std::size_t start = slot.published == 0 ? 0 : slot.ends[slot.published - 1];
  const std::size_t size = slot.ends[slot.published] - start;
  slot.envelopes.erase(start, size);
  slot.ends.erase(slot.ends.begin() + static_cast<std::ptrdiff_t>(slot.published));
  for (std::size_t i = slot.published; i < slot.ends.size(); ++i) slot.ends[i] -= size;
  bytes_ -= size;
  return size;
}

std::size_t Window::message_count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size_; ++i) count += Slot(i).ends.size();
  return count;
}

void Window::Rewind() {
  for (std::size_t i = 0; i < size_; ++i) {
    Slot(i).published = 0;
    Slot(i).ticket = 0;
  }
  next_ = 0;
}

bool Window::PopConfirmed(std::uint64_t ticket, Confirmed* confirmed) {
  if (next_ == 0 || Slot(0).ticket > ticket) return false;
  SlotData& slot = Slot(0);
  *confirmed = {slot.token, slot.position, slot.ends.size()};
  bytes_ -= slot.envelopes.size();
  first_ = (first_ + 1) % slots_.size();
  --size_;
  --next_;
  return true;
}

}  // namespace kps
