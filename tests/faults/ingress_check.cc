#include "tests/faults/ingress_check.h"

#include <algorithm>
#include <charconv>

#include "host/core/envelope.h"

namespace kps::faults {
namespace {

constexpr std::size_t kLargeBytes = 300;

}  // namespace

IngressCheck::IngressCheck(Options options, Simulation* simulation)
    : options_(options), simulation_(simulation), messages_(options.messages) {
  const bool some = simulation_->OneIn(3);
  for (Message& message : messages_) message.too_large = some && simulation_->OneIn(10);
}

std::string IngressCheck::Payload(std::size_t message) const {
  std::string payload = std::to_string(message);
  if (messages_[message].too_large) payload.append(kLargeBytes, 'x');
  return payload;
}

void IngressCheck::Break(const std::string& what, std::size_t message) {
  simulation_->Broken("message " + std::to_string(message) + ' ' + what);
}

std::size_t IngressCheck::IndexOf(std::string_view envelope) {
  std::vector<MessageView> views;
  std::size_t index = messages_.size();
  const Error error = DecodeEnvelope(envelope, &views);
  if (error.ok() && views.size() == 1) {
    const std::string_view text = views[0].payload;
    (void)std::from_chars(text.data(), text.data() + text.size(), index);
  }
  if (index < messages_.size()) return index;
  simulation_->Broken("an envelope is none that was read: \"" + std::string(envelope) + '"');
  return 0;
}

std::size_t IngressCheck::Safe() {
  while (safe_ < messages_.size() && (messages_[safe_].confirmed || messages_[safe_].refused)) ++safe_;
  return safe_;
}

bool IngressCheck::Complete(std::size_t stored) {
  return Safe() == messages_.size() && (options_.resumes || acknowledged_ == messages_.size()) &&
         (!options_.stores || stored == messages_.size());
}

void IngressCheck::OnRead(std::size_t first, std::size_t end) {
  for (std::size_t i = first; i < end; ++i) messages_[i].batch_end = end;
  read_ += end - first;
}

void IngressCheck::OnSourceAcknowledged(std::size_t count, std::size_t stored) {
  if (count > Safe()) Break("was acknowledged to the source before it was confirmed", Safe());
  if (options_.stores && count > stored) Break("was acknowledged to the source before its position was stored", stored);
  acknowledged_ = std::max(acknowledged_, count);
}

void IngressCheck::OnHandedOver(std::size_t count) {
  if (count > Safe()) Break("is before the position, and not confirmed", Safe());
  if (options_.resumes && count < handed_over_) Break("is after the position, which was beyond it", count);
  handed_over_ = std::max(handed_over_, count);
}

void IngressCheck::OnRestart(bool run_goes_on) {
  if (!run_goes_on) ++runs_;
  handed_over_ = 0;  // what was not stored is gone
}

std::size_t IngressCheck::Deliverable(std::size_t index) const {
  while (index < messages_.size() && messages_[index].refused) ++index;
  return index;
}

void IngressCheck::OnAccepted(std::uint64_t publisher, const Outgoing& outgoing) {
  const std::size_t index = IndexOf(outgoing.envelope);
  Message& message = messages_[index];
  simulation_->Note("accepted", static_cast<std::int64_t>(index), static_cast<std::int64_t>(publisher));
  begins_again_ = begins_again_ || publisher != publisher_;
  publisher_ = publisher;
  const std::size_t next = Deliverable(begins_again_ ? Safe() : next_published_);
  // A source that is acknowledged sends again what it was not acknowledged for, while that may be on its way.
  const bool may_go_back = begins_again_ || !options_.resumes;
  if (index > next || (index < next && !may_go_back)) Break("was published out of its turn", index);
  begins_again_ = false;
  // Its batch goes through as a whole, so one of it may have been confirmed.
  if (options_.resumes && messages_[message.batch_end - 1].confirmed_by == publisher) {
    Break("was published again after its confirm", index);
  }
  next_published_ = index + 1;
  CheckId(index, publisher, outgoing.message_id);
}

void IngressCheck::CheckId(std::size_t index, std::uint64_t publisher, std::string_view id) {
  Message& message = messages_[index];
  if (id.empty()) return Break("has no id", index);
  const auto [known, added] = ids_.emplace(id, index);
  if (!added && known->second != index) Break("has the id of another", index);
  if (!options_.has_ids && !options_.resumes) return;  // who sends it again cannot say that it is the same
  // An id of the source's holds as long as the run; a number, as long as the window.
  const std::uint64_t scope = options_.has_ids ? runs_ : publisher;
  if (message.id_scope == scope && message.id != id) Break("was published under two ids", index);
  message.id_scope = scope;
  message.id = id;
}

void IngressCheck::OnTooLarge(std::string_view envelope) {
  Message& message = messages_[IndexOf(envelope)];
  if (!message.refused) ++refused_;
  message.refused = true;
}

void IngressCheck::OnArrived(const std::string&, std::string_view envelope) {
  const std::size_t index = IndexOf(envelope);
  simulation_->Note("arrived", static_cast<std::int64_t>(index));
  ++(messages_[index].arrivals++ == 0 ? delivered_ : duplicates_);
  while (next_arrival_ < messages_.size() &&
         (messages_[next_arrival_].arrivals > 0 || messages_[next_arrival_].refused)) {
    ++next_arrival_;
  }
  // A transport that loses one in the middle brings the next ones before it: the order of publishing is checked then.
  const bool drops = simulation_->fault_counts()[static_cast<std::size_t>(Fault::kDrop)] > 0;
  if (!drops && index >= next_arrival_ && messages_[index].arrivals == 1) Break("arrived before an earlier one", index);
}

void IngressCheck::OnConfirmTold(std::uint64_t publisher, std::string_view envelope) {
  Message& message = messages_[IndexOf(envelope)];
  message.confirmed = true;
  message.confirmed_by = publisher;
}

void IngressCheck::Finish() {
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    if (messages_[i].refused || messages_[i].arrivals > 0) continue;
    ++lost_;
    Break("is lost", i);
  }
}

}  // namespace kps::faults
