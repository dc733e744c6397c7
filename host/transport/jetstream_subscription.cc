#include "host/transport/jetstream_subscription.h"

#include <nats/nats.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "host/transport/jetstream_names.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainWait{1000};
// A wait sees within this that it is drained, or that the link is over.
constexpr milliseconds kWaitPiece{50};
// What was on its way when a link ended comes at once when it is asked for again.
constexpr milliseconds kGapWait{1000};
// More are not looked for one by one.
constexpr std::uint64_t kAbandonedMax = 64 * 1024;
// At the end, what was said last is on its way for so long at most.
constexpr milliseconds kFlushWait{500};
// What a message is larger by than its payload, as the server counts.
constexpr std::int64_t kOverheadBytes = 1024;

constexpr char kAck[] = "+ACK";
constexpr char kNak[] = "-NAK";
constexpr char kInProgress[] = "+WPI";

}  // namespace

JetStreamSubscription::JetStreamSubscription(std::shared_ptr<JetStreamStreams> streams, std::string channel,
                                             const std::string& name)
    : streams_(std::move(streams)),
      channel_(std::move(channel)),
      consumer_(JetStreamConsumerName(streams_->options().connector_id, name, channel_)) {
  streams_->connection().Add(this);
}

Result<std::unique_ptr<Subscription>> JetStreamSubscription::Open(std::shared_ptr<JetStreamStreams> streams,
                                                                  std::string channel, const std::string& name) {
  std::unique_ptr<JetStreamSubscription> made(new JetStreamSubscription(std::move(streams), std::move(channel), name));
  if (Error error = made->Bind(); !error.ok()) return error;
  return std::unique_ptr<Subscription>(std::move(made));
}

JetStreamSubscription::~JetStreamSubscription() {
  streams_->connection().Remove(this);
  Handle handle;
  MutexLock lock(mutex_);
  if (!handle_ || link_->over()) return;
  if (!IsDraining()) (void)natsSubscription_Drain(handle_.get());
  (void)natsConnection_FlushTimeout(link_->handle(), kFlushWait.count());
  Collect();
  // The server (2.9) drops the first message that is given back while a request waits that nobody listens to any more,
  // until the ack wait is over. It looks for those when it is asked about the consumer.
  (void)link_->Request("$JS.API.CONSUMER.INFO." + stream_ + "." + consumer_, "", kFlushWait);
  backlog_.ForEach([this](JetStreamBacklog::Item& item) KPS_REQUIRES(mutex_) {
    if (!item.stale) Say(item.reply(), kNak);
  });
  (void)natsConnection_FlushTimeout(link_->handle(), kFlushWait.count());
  handle = std::move(handle_);
}

Error JetStreamSubscription::Bind() {
  std::shared_ptr<NatsLink> link;
  {
    MutexLock lock(mutex_);
    if (std::exchange(rebind_, false)) handle_.reset();
    if (IsDraining() || (handle_ && !link_->over())) return {};
    link = streams_->connection().link();
  }
  if (!link || link->over()) return {};  // the next link is on its way
  const auto stream = streams_->Bind(*link, channel_);
  if (!stream.ok()) return link->over() ? Error() : stream.error();
  const auto consumer = streams_->Bind(*link, stream.value(), channel_, consumer_);
  if (!consumer.ok()) return link->over() ? Error() : consumer.error();
  TakeOver(std::move(link), stream.value(), consumer.value());
  return {};
}

void JetStreamSubscription::TakeOver(std::shared_ptr<NatsLink> link, const StreamBinding& stream,
                                     const ConsumerBinding& consumer) {
  const std::string inbox = NewInbox();
  const std::uint64_t refusals_seen = streams_->connection().refusals().count();
  Handle handle = NatsLink::Subscribe(link, inbox);
  if (!handle) return;
  streams_->connection().DoChoresEvery(std::max(consumer.ack_wait / 8, milliseconds(1)));
  MutexLock lock(mutex_);
  Collect();  // what the former link has brought
  std::swap(handle_, handle);
  link_ = std::move(link);
  inbox_ = inbox;
  stream_ = stream.name;
  ack_wait_ = consumer.ack_wait;
  refusals_seen_ = refusals_seen;
  pull_.Begin(consumer.limits);
  if (consumer.made) backlog_.ForgetDeliveries();
  const std::string former = std::exchange(stream_created_, stream.created);
  if (former != stream.created) {
    backlog_.ForgetNumbers();
    if (!former.empty()) {
      streams_->connection().Warn("JetStream: the stream " + stream.name + " of channel " + channel_ +
                                  " is another than before: what the former one had is gone");
    }
  }
  backlog_.ForgetDeliveriesAfter(consumer.delivered, consumer.deliveries);
  backlog_.TellAgain([this](const char* reply) KPS_REQUIRES(mutex_) { Say(reply, kAck); });
  SayInProgress(Clock::duration::zero());
  AskForAbandoned(consumer);
  backlog_.ExpectGap([this](const std::string& reply) KPS_REQUIRES(mutex_) { Say(reply.c_str(), kNak); }, kGapWait);
  Pull();
}

void JetStreamSubscription::AskForAbandoned(const ConsumerBinding& consumer) {
  const DeliveredAs& newest = backlog_.newest();
  const bool first = newest.stream_sequence == 0;
  const std::uint64_t from = first ? consumer.floor : newest.stream_sequence;
  if (consumer.delivered <= from || consumer.delivered - from > kAbandonedMax) return;
  // Somebody else is there who may have them in hand.
  if (first && consumer.requests_waiting > 0) return;
  // Some of them are acknowledged: asked for, the server (2.9) would deliver those again, too. There are less messages
  // than numbers where the stream holds other channels, and less than deliveries where some came again.
  const std::uint64_t deliveries_before = first ? consumer.deliveries_to_floor : newest.consumer_sequence;
  const std::uint64_t deliveries =
      consumer.deliveries > deliveries_before ? consumer.deliveries - deliveries_before : 0;
  if (consumer.ack_pending < std::min(consumer.delivered - from, deliveries)) return;
  // For the first time, everything that is not acknowledged comes; later, some of it is here.
  if (first) backlog_.Expect(consumer.ack_pending, consumer.delivered, Clock::now() + kGapWait);
  const std::string start = "$JS.ACK." + stream_ + "." + consumer_ + ".1.";
  const std::string end = "." + std::to_string(consumer.deliveries) + ".0.0";
  for (std::uint64_t each = from + 1; each <= consumer.delivered; ++each) {
    Say((start + std::to_string(each) + end).c_str(), kNak);
  }
}

bool JetStreamSubscription::Say(const char* reply, const char* what) {
  return link_ && !link_->over() && natsConnection_PublishString(link_->handle(), reply, what) == NATS_OK;
}

void JetStreamSubscription::SayInProgress(Clock::duration older_than) {
  const auto now = Clock::now();
  backlog_.ForEach([&](JetStreamBacklog::Item& item) KPS_REQUIRES(mutex_) {
    if (item.stale || now - item.refreshed_at < older_than) return;
    if (Say(item.reply(), kInProgress)) item.refreshed_at = now;
  });
}

void JetStreamSubscription::DoChore() {
  MutexLock lock(mutex_);
  if (!waiting_) Collect();  // what nobody receives is held, too
  SayInProgress(ack_wait_ / 2);
}

void JetStreamSubscription::Collect() {
  if (!handle_) return;
  natsMsg* message = nullptr;
  natsStatus status = NATS_OK;
  do {
    // Only a call that waits ends a drain.
    status = natsSubscription_NextMsg(&message, handle_.get(), IsDraining() ? 1 : 0);
  } while (Admit(status, message));
}

bool JetStreamSubscription::Admit(int status, natsMsg* raw) {
  if (status == NATS_NO_RESPONDERS) {
    rebind_ = true;
    pull_.Forget();
    return true;
  }
  if (status != NATS_OK) {
    drained_ = drained_ || (IsDraining() && status != NATS_TIMEOUT);
    return false;
  }
  JetStreamBacklog::MessagePtr message(raw, natsMsg_Destroy);
  const int bytes = natsMsg_GetDataLength(raw);
  const char* const reply = natsMsg_GetReply(raw);
  if (reply == nullptr) {
    if (!pull_.ReadStatus(raw, backlog_.count() > 0, Clock::now())) rebind_ = true;
    return true;
  }
  pull_.Got(bytes);
  if (backlog_.Add(std::move(message), Clock::now()) == JetStreamBacklog::Arrival::kAcknowledged) Say(reply, kAck);
  return true;
}

std::string JetStreamSubscription::Requests() const { return "$JS.API.CONSUMER.MSG.NEXT." + stream_ + "." + consumer_; }

void JetStreamSubscription::Pull() {
  if (IsDraining() || !handle_ || link_->over()) return;
  const NatsConnection& connection = streams_->connection();
  const auto largest = static_cast<std::int64_t>(connection.max_payload()) + kOverheadBytes;
  const JetStreamPull::Held held{static_cast<std::int64_t>(backlog_.count()), streams_->options().pending_messages_max,
                                 static_cast<std::int64_t>(backlog_.bytes()),
                                 std::max<std::int64_t>(connection.options().pending_bytes_max, largest)};
  const auto now = Clock::now();
  const auto request = pull_.Next(held, now);
  if (!request) return;
  const std::string json = request->ToJson();
  if (natsConnection_PublishRequest(link_->handle(), Requests().c_str(), inbox_.c_str(), json.data(),
                                    static_cast<int>(json.size())) == NATS_OK) {
    pull_.Asked(*request, now);
  }
}

void JetStreamSubscription::Wait(milliseconds timeout) {
  Handle handle;
  {
    MutexLock lock(mutex_);
    handle = drained_ ? nullptr : handle_;
    if (handle && link_->over()) handle = nullptr;  // nothing comes there any more
    waiting_ = handle != nullptr;
  }
  if (!handle) return std::this_thread::sleep_for(timeout);
  natsMsg* message = nullptr;
  const natsStatus status = natsSubscription_NextMsg(&message, handle.get(), timeout.count());
  MutexLock lock(mutex_);
  waiting_ = false;
  (void)Admit(status, message);
}

bool JetStreamSubscription::Drained() {
  return IsDraining() && (drained_ || !handle_ || link_->over() || Clock::now() >= drain_deadline_.load());
}

Error JetStreamSubscription::CheckGiven() {
  if (IsDraining()) return {};
  constexpr auto kPublish = NatsRefusal::Of::kPublish;
  constexpr auto kSubscribe = NatsRefusal::Of::kSubscribe;
  const NatsRefusals& refusals = streams_->connection().refusals();
  if (const std::uint64_t count = refusals.count(); count != refusals_seen_ && handle_) {
    const std::string acks = "$JS.ACK." + stream_ + "." + consumer_ + ".>";
    const std::string requests = Requests();
    if (refusals.Since(refusals_seen_, kPublish, acks)) return NotPermitted(kPublish, acks);
    if (refusals.Since(refusals_seen_, kPublish, requests)) return NotPermitted(kPublish, requests);
    if (refusals.Since(refusals_seen_, kSubscribe, inbox_)) return NotPermitted(kSubscribe, inbox_);
    refusals_seen_ = count;
  }
  const std::string refusal = pull_.TakeRefusal();
  if (refusal.empty()) return {};
  return Error(Code::kUnavailable,
               "JetStream: the consumer " + consumer_ + " of stream " + stream_ + " gives no messages: " + refusal);
}

Result<Delivery> JetStreamSubscription::Receive(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    bool bound = false;
    {
      MutexLock lock(mutex_);
      if (Error error = CheckGiven(); !error.ok()) return error;
      auto next = TakeNext();
      if (!next) {
        Collect();
        next = TakeNext();
      }
      Pull();
      if (next) return *next;
      if (Drained()) return Error(Code::kCancelled, "the subscription is drained");
      bound = handle_ && !link_->over() && !rebind_;
    }
    if (!bound) {
      if (Error error = Bind(); !error.ok()) return error;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) return Error(Code::kDeadlineExceeded, "no message came");
    Wait(std::min(left, kWaitPiece));
  }
}

std::optional<Delivery> JetStreamSubscription::ReceiveMore() {
  MutexLock lock(mutex_);
  return TakeNext();
}

std::optional<Delivery> JetStreamSubscription::TakeNext() {
  const JetStreamBacklog::Item* const item = backlog_.Take(Clock::now());
  if (item == nullptr) return std::nullopt;
  const auto bytes = static_cast<std::size_t>(natsMsg_GetDataLength(item->message.get()));
  return Delivery{{natsMsg_GetData(item->message.get()), bytes}, backlog_.receipt()};
}

void JetStreamSubscription::Acknowledge(std::uint64_t receipt) {
  MutexLock lock(mutex_);
  backlog_.Acknowledge(receipt, [this](const char* reply) KPS_REQUIRES(mutex_) { Say(reply, kAck); });
}

bool JetStreamSubscription::Return() {
  MutexLock lock(mutex_);
  backlog_.Return();
  return true;
}

void JetStreamSubscription::Drain() {
  Clock::time_point none{};
  if (!drain_deadline_.compare_exchange_strong(none, Clock::now() + kDrainWait)) return;
  MutexLock lock(mutex_);
  if (handle_) (void)natsSubscription_Drain(handle_.get());
}

}  // namespace kps
