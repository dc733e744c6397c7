#include "host/core/pending_deliveries.h"

#include "host/core/envelope.h"

namespace kps {
namespace {

const Error kNone;

}  // namespace

void PendingDeliveries::Add(const Delivery& delivery) {
  Error malformed = AppendDecoded(delivery.envelope, &messages_);
  if (!malformed.ok()) {
    messages_.push_back({delivery.envelope, 0});
    ++malformed_;
  }
  items_.push_back({delivery.envelope, delivery.receipt, messages_.size(), std::move(malformed)});
  bytes_ += delivery.envelope.size();
  PassHandled();
}

void PendingDeliveries::Clear() {
  items_.clear();
  messages_.clear();
  first_ = taken_ = bytes_ = malformed_ = 0;
  handled_receipt_ = 0;
}

const Error& PendingDeliveries::malformed() const { return left() > 0 ? items_[first_].malformed : kNone; }

std::span<const MessageView> PendingDeliveries::rest() const {
  std::size_t end = messages_.size();
  for (std::size_t i = first_; malformed_ > 0 && i < items_.size(); ++i) {
    if (items_[i].malformed.ok()) continue;
    end = items_[i].end - 1;
    break;
  }
  return std::span(messages_).subspan(taken_, end - taken_);
}

void PendingDeliveries::Take(std::size_t count) {
  taken_ += count;
  PassHandled();
}

void PendingDeliveries::PassHandled() {
  for (; first_ < items_.size() && items_[first_].end <= taken_; ++first_) handled_receipt_ = items_[first_].receipt;
}

std::vector<PendingDeliveries::Copy> PendingDeliveries::CopyRest() const {
  std::vector<Copy> copies;
  for (std::size_t i = first_; i < items_.size(); ++i) {
    copies.push_back({std::string(items_[i].envelope), items_[i].receipt});
  }
  return copies;
}

}  // namespace kps
