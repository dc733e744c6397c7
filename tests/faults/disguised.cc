#include "tests/faults/disguised.h"

#include <utility>

namespace kps::faults {
namespace {

class PassOnPublisher : public Publisher {
 public:
  explicit PassOnPublisher(std::unique_ptr<Publisher> inner) : inner_(std::move(inner)) {}
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override { return inner_->Publish(outgoing); }
  std::uint64_t Confirmed() const override { return inner_->Confirmed(); }
  Error AwaitConfirmed(std::uint64_t ticket, milliseconds timeout) override {
    return inner_->AwaitConfirmed(ticket, timeout);
  }

 protected:
  const std::unique_ptr<Publisher> inner_;
};

// What was handed over counts as confirmed.
class AcknowledgesBeforeTheConfirm : public PassOnPublisher {
 public:
  using PassOnPublisher::PassOnPublisher;
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    auto ticket = inner_->Publish(outgoing);
    if (ticket.ok()) issued_ = ticket.value();
    return ticket;
  }
  std::uint64_t Confirmed() const override { return issued_; }

 private:
  std::uint64_t issued_ = 0;
};

// ABORTED is taken for "not yet".
class PublishesNothingAgain : public PassOnPublisher {
 public:
  using PassOnPublisher::PassOnPublisher;
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    auto ticket = inner_->Publish(outgoing);
    if (!ticket.ok() && ticket.error().code() == Code::kAborted) return Error(Code::kResourceExhausted, "hidden");
    return ticket;
  }
  Error AwaitConfirmed(std::uint64_t ticket, milliseconds timeout) override {
    Error error = inner_->AwaitConfirmed(ticket, timeout);
    return error.code() == Code::kAborted ? Error(Code::kDeadlineExceeded, "hidden") : error;
  }
};

// An envelope that could not be published is passed over.
class SkipsOneOnAnError : public PassOnPublisher {
 public:
  using PassOnPublisher::PassOnPublisher;
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    auto ticket = inner_->Publish(outgoing);
    if (ticket.ok()) return issued_ = ticket.value();
    return ticket.error().code() == Code::kUnavailable ? Result<std::uint64_t>(issued_) : ticket;
  }

 private:
  std::uint64_t issued_ = 0;
};

// Every eighth envelope waits for the next one.
class Reorders : public PassOnPublisher {
 public:
  using PassOnPublisher::PassOnPublisher;
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    if (held_.empty() && ++published_ % 8 == 0) {
      held_ = outgoing.envelope;
      held_id_ = outgoing.message_id;
      return issued_ + 1;  // that of the one that goes first
    }
    auto ticket = inner_->Publish(outgoing);
    if (ticket.ok()) issued_ = ticket.value();
    if (!ticket.ok() || held_.empty()) return ticket;
    auto second = inner_->Publish(Outgoing{.envelope = held_, .message_id = held_id_});
    held_.clear();
    if (second.ok()) issued_ = second.value();
    return second;
  }

 private:
  std::uint64_t published_ = 0;
  std::uint64_t issued_ = 0;
  std::string held_;
  std::string held_id_;
};

class PassOnSubscription : public Subscription {
 public:
  explicit PassOnSubscription(std::unique_ptr<Subscription> inner) : inner_(std::move(inner)) {}
  Result<Delivery> Receive(milliseconds timeout) override { return inner_->Receive(timeout); }
  std::optional<Delivery> ReceiveMore() override { return inner_->ReceiveMore(); }
  void Acknowledge(std::uint64_t receipt) override { inner_->Acknowledge(receipt); }
  bool Return() override { return inner_->Return(); }
  void Drain() override { inner_->Drain(); }
  std::uint64_t Dropped() const override { return inner_->Dropped(); }

 protected:
  const std::unique_ptr<Subscription> inner_;
};

class AcknowledgesBeforeTheFlush : public PassOnSubscription {
 public:
  using PassOnSubscription::PassOnSubscription;
  Result<Delivery> Receive(milliseconds timeout) override {
    if (receipt_ > 0) inner_->Acknowledge(std::exchange(receipt_, 0));
    auto delivery = inner_->Receive(timeout);
    if (delivery.ok()) receipt_ = delivery.value().receipt;
    return delivery;
  }
  std::optional<Delivery> ReceiveMore() override {
    const auto more = inner_->ReceiveMore();
    if (more) receipt_ = more->receipt;
    return more;
  }
  void Acknowledge(std::uint64_t) override {}

 private:
  std::uint64_t receipt_ = 0;
};

class ReturnsNothing : public PassOnSubscription {
 public:
  using PassOnSubscription::PassOnSubscription;
  bool Return() override { return true; }
};

template <typename P, typename S>
class Disguised : public Transport {
 public:
  explicit Disguised(Transport* inner) : inner_(inner) {}
  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    auto opened = inner_->OpenPublisher(channel);
    if (!opened.ok()) return opened.error();
    return std::unique_ptr<Publisher>(std::make_unique<P>(std::move(opened.value())));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string& name) override {
    auto opened = inner_->Subscribe(channel, name);
    if (!opened.ok()) return opened.error();
    return std::unique_ptr<Subscription>(std::make_unique<S>(std::move(opened.value())));
  }
  bool KeepsMessages() const override { return inner_->KeepsMessages(); }
  bool Connected() const override { return inner_->Connected(); }
  std::string DisconnectReason() const override { return inner_->DisconnectReason(); }
  void WatchConnection(std::function<void(bool)> watcher) override { inner_->WatchConnection(std::move(watcher)); }
  TransportCounters Counters() const override { return inner_->Counters(); }
  std::size_t EnvelopeBytesMax() const override { return inner_->EnvelopeBytesMax(); }

 private:
  Transport* const inner_;
};

template <typename P, typename S = PassOnSubscription>
Disguise As() {
  return [](Transport* inner) { return std::make_unique<Disguised<P, S>>(inner); };
}

}  // namespace

std::vector<Bug> Bugs() {
  return {{"none", true, As<PassOnPublisher>()},
          {"acknowledges before the confirm", true, As<AcknowledgesBeforeTheConfirm>()},
          {"publishes nothing again after a loss", true, As<PublishesNothingAgain>()},
          {"skips one on an error", true, As<SkipsOneOnAnError>()},
          {"reorders", true, As<Reorders>()},
          {"acknowledges before the flush", false, As<PassOnPublisher, AcknowledgesBeforeTheFlush>()},
          {"returns nothing", false, As<PassOnPublisher, ReturnsNothing>()}};
}

}  // namespace kps::faults
