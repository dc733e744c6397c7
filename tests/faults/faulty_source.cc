#include "tests/faults/faulty_source.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace kps::faults {
namespace {

constexpr std::size_t kBatchMax = 5;

class SourceConsumer : public Consumer {
 public:
  SourceConsumer(Simulation* simulation, IngressCheck* check, const FaultySource::Hooks& hooks,
                 const FaultyWaker* waker, std::size_t position)
      : simulation_(simulation), check_(check), hooks_(hooks), waker_(waker), read_(position) {}

  Result<Batch> NextBatch(const BatchLimits& limits, milliseconds timeout) override {
    simulation_->Call("NextBatch", timeout.count());
    // Who still looks at the last batch sees that.
    for (std::string& text : texts_) text.assign(text.size(), '#');
    position_.assign(position_.size(), '#');
    if (simulation_->dead() || waker_->woken()) return Batch{};
    if (simulation_->Happens(Fault::kReadFails)) return simulation_->AnyError("cannot read");
    if (simulation_->Happens(Fault::kNothing)) return Batch{};
    if (read_ == check_->options().messages) {
      hooks_.idle();
      if (!waker_->woken()) simulation_->Pass(timeout);
      return Batch{};
    }
    return Read(std::min<std::size_t>(limits.messages_max, kBatchMax));
  }

  Error Ack(std::uint64_t token) override {
    simulation_->Call("Ack", static_cast<std::int64_t>(token));
    if (simulation_->dead()) return Error(Code::kInternal, "dead");
    if (token == 0 || token > ends_.size()) simulation_->Broken("a token is acknowledged that was never given");
    if (simulation_->Happens(Fault::kSourceAckFails)) return simulation_->AnyError("cannot acknowledge");
    check_->OnSourceAcknowledged(ends_[token - 1], hooks_.stored());
    return {};
  }

 private:
  Batch Read(std::size_t messages_max) {
    const std::size_t count =
        std::min<std::size_t>(1 + simulation_->Below(messages_max), check_->options().messages - read_);
    texts_.clear();
    messages_.clear();
    texts_.reserve(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      MessageView message{texts_.emplace_back(check_->Payload(read_ + i)), 0};
      if (check_->options().has_ids) message.id = texts_.emplace_back('m' + std::to_string(read_ + i));
      messages_.push_back(message);
    }
    check_->OnRead(read_, read_ + count);
    read_ += count;
    ends_.push_back(read_);
    position_ = std::to_string(read_);
    simulation_->Note("read", static_cast<std::int64_t>(read_), static_cast<std::int64_t>(count));
    return Batch{messages_, position_, ends_.size()};
  }

  Simulation* const simulation_;
  IngressCheck* const check_;
  const FaultySource::Hooks& hooks_;
  const FaultyWaker* const waker_;
  std::size_t read_;
  std::vector<std::size_t> ends_;  // of each batch; tokens are the places in it, from 1
  std::vector<std::string> texts_;
  std::vector<MessageView> messages_;
  std::string position_;
};

}  // namespace

std::size_t CountAt(std::string_view position) {
  std::size_t count = 0;
  (void)std::from_chars(position.data(), position.data() + position.size(), count);
  return count;
}

Result<std::unique_ptr<Waker>> FaultyConnector::CreateWaker(const std::string&) {
  simulation_->AwaitOpen();
  if (Error error = Create("CreateWaker", 0); !error.ok()) return error;
  return std::unique_ptr<Waker>(std::make_unique<FaultyWaker>());
}

Error FaultyConnector::Create(const char* name, std::int64_t position) {
  simulation_->Call(name, position);
  if (simulation_->dead()) return Error(Code::kInternal, "dead");
  return simulation_->Happens(Fault::kCreateFails) ? simulation_->AnyError(name) : Error();
}

Result<std::unique_ptr<Consumer>> FaultySource::CreateConsumer(const StreamSpec&, std::string_view position,
                                                               Waker* waker) {
  const std::size_t resume = CountAt(position);
  if (Error error = Create("CreateConsumer", static_cast<std::int64_t>(resume)); !error.ok()) return error;
  return std::unique_ptr<Consumer>(
      std::make_unique<SourceConsumer>(simulation_, check_, hooks_, static_cast<FaultyWaker*>(waker),
                                       check_->options().resumes ? resume : check_->acknowledged()));
}

}  // namespace kps::faults
