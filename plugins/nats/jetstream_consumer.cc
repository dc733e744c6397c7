#include "jetstream_consumer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "jetstream_api.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

constexpr std::string_view kAck = "+ACK";
constexpr std::string_view kNak = "-NAK";
constexpr std::string_view kInProgress = "+WPI";

// What was on its way when a connection ended comes at once when it is asked for again.
constexpr milliseconds kMissingMax{1000};
// More are not looked for one by one.
constexpr uint64_t kGapMax = 64 * 1024;
constexpr milliseconds kTendMin{20};
constexpr milliseconds kTendMax{1000};
constexpr milliseconds kLastRoundTrip{500};

void say(NatsConnection& connection, const char* reply, std::string_view what) {
  connection.publish(reply, nullptr, what.data(), what.size());
}

std::string header(natsMsg* message, const char* name) {
  const char* text = nullptr;
  return natsMsgHeader_Get(message, name, &text) == NATS_OK && text != nullptr ? text : "";
}

}  // namespace

JetStreamConsumer::JetStreamConsumer(const plugin::Stream& stream, NatsIngressSettings settings)
    : settings_(std::move(settings)), client_(stream, settings_.broker, this) {
  client_.start();
}

JetStreamConsumer::~JetStreamConsumer() {
  try {
    // What was acknowledged last is not to come again.
    (void)client_.connection()->round_trip(kLastRoundTrip);
  } catch (const Failure&) {
  }
  client_.stop();
}

void JetStreamConsumer::begin(NatsConnection& connection) {
  JetStreamPlace place;
  {
    const std::lock_guard lock(mutex_);
    place = {bound_.stream_created, backlog_.newest()};
  }
  JetStreamBinding bound = bind_jetstream(connection, settings_, place);
  const std::string inbox = new_inbox();
  connection.subscribe(inbox, "", [this, &connection](std::vector<NatsMessage>& came) { take(connection, came); });
  client_.tend_every(std::clamp(bound.ack_wait / 8, kTendMin, kTendMax));
  const NatsConnection::Cork cork(connection);
  const std::lock_guard lock(mutex_);
  if (!place.stream_created.empty() && place.stream_created != bound.stream_created) backlog_.forget_sequences();
  backlog_.forget_deliveries_after(bound.delivered, bound.deliveries);
  bound_ = std::move(bound);
  inbox_ = inbox;
  id_end_ = "@" + bound_.stream_created;
  requests_.begin({bound_.batch_max, bound_.bytes_max, bound_.expires_max_ns, connection.payload_max()});
  say_in_progress(connection, Clock::duration::zero());
  ask_for_missing(connection);
  pull(connection);
}

// To be had from the server: what it has delivered and was not told about since. It was lost with a connection, or with
// a host that has died, and would come after the ack wait, out of its order.
void JetStreamConsumer::ask_for_missing(NatsConnection& connection) {
  if (bound_.consumer_made || bound_.unacknowledged == 0) return;
  // Others have it in hand, maybe; and there, no order is promised.
  if (bound_.waiting > 0 || bound_.delivered - bound_.floor > kGapMax) return;
  const JetStreamBacklog::Gap gap = backlog_.gap(bound_.floor, bound_.delivered);
  const auto say_of = [&](uint64_t sequence, std::string_view what) {
    say(connection, reply_for(bound_.stream, settings_.durable, sequence, bound_.deliveries).c_str(), what);
  };
  for (const uint64_t sequence : gap.acknowledged) say_of(sequence, kAck);
  for (const uint64_t sequence : gap.missing) say_of(sequence, kNak);
  const uint64_t known = gap.acknowledged.size() + gap.here;
  const uint64_t expected = bound_.unacknowledged > known ? bound_.unacknowledged - known : 0;
  backlog_.expect(std::min<uint64_t>(expected, gap.missing.size()), bound_.delivered, Clock::now() + kMissingMax);
}

void JetStreamConsumer::say_in_progress(NatsConnection& connection, Clock::duration older_than) {
  const auto now = Clock::now();
  backlog_.for_each_of_stream([&](JetStreamBacklog::Item& item) {
    if (item.unknown || now - item.fresh_at < older_than) return;
    say(connection, item.reply(), kInProgress);
    item.fresh_at = now;
  });
}

void JetStreamConsumer::tend(NatsConnection& connection) {
  const NatsConnection::Cork cork(connection);
  const std::lock_guard lock(mutex_);
  say_in_progress(connection, bound_.ack_wait / 2);
  pull(connection);
}

void JetStreamConsumer::pull(NatsConnection& connection) {
  const auto request = requests_.next(backlog_.waiting(), backlog_.waiting_bytes(), Clock::now());
  if (!request) return;
  const std::string subject = "$JS.API.CONSUMER.MSG.NEXT." + bound_.stream + "." + settings_.durable;
  connection.publish(subject.c_str(), inbox_.c_str(), request->data(), request->size());
}

void JetStreamConsumer::take(NatsConnection& connection, std::vector<NatsMessage>& came) {
  const Failure gone(KPS_UNAVAILABLE, "the consumer " + settings_.durable + " is gone");
  if (came.empty()) return connection.fail(gone);
  const NatsConnection::Cork cork(connection);
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  for (NatsMessage& message : came) {
    natsMsg* const raw = message.get();
    const auto bytes = static_cast<uint64_t>(natsMsg_GetDataLength(raw));
    if (natsMsg_GetReply(raw) == nullptr) {
      read_status(connection, raw);
      continue;
    }
    requests_.came(bytes);
    if (backlog_.add(std::move(message), now) == JetStreamBacklog::Arrival::kAcknowledged) {
      say(connection, natsMsg_GetReply(raw), kAck);
    }
  }
  pull(connection);
}

// 100 is a heartbeat, 404 and 408 say that there was nothing within the time of the request.
void JetStreamConsumer::read_status(NatsConnection& connection, natsMsg* message) {
  const std::string status = header(message, "Status");
  if (status.empty() || status == "100") return;
  const std::string why = header(message, "Description");
  if (why.find("Deleted") != std::string::npos || why.find("push based") != std::string::npos) {
    connection.fail(Failure(KPS_UNAVAILABLE, "the consumer " + settings_.durable + " is gone: " + why));
  }
  requests_.ended(status != "404" && status != "408", Clock::now());
}

void JetStreamConsumer::next(plugin::Batch& batch, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  released_.clear();
  for (;;) {
    const Clock::time_point due = fill(batch);
    if (!batch.empty()) return;
    (void)client_.connection();  // throws where there is none
    if (Clock::now() >= deadline) return;
    if (client_.wait(std::min(deadline, due)) == plugin::Wait::kWoken) return;
  }
}

JetStreamConsumer::Clock::time_point JetStreamConsumer::fill(plugin::Batch& batch) {
  const std::shared_ptr<NatsConnection> connection = client_.present();
  const auto now = Clock::now();
  std::optional<NatsConnection::Cork> cork;
  if (connection) cork.emplace(*connection);
  const std::lock_guard lock(mutex_);
  for (const JetStreamBacklog::Item* item; (item = backlog_.front(now)) != nullptr && batch.has_room(item->size());) {
    const JetStreamBacklog::Item& taken = backlog_.take(batch.token());
    batch.add_borrowed(natsMsg_GetData(taken.message.get()), taken.size(), taken.delivery.stored_at_ns);
    if (!backlog_.of_present_stream(taken)) continue;
    id_ = std::to_string(taken.delivery.sequence);
    id_ += id_end_;
    batch.set_id(id_);
  }
  if (connection) pull(*connection);
  return std::min(backlog_.due(), requests_.due(now));
}

void JetStreamConsumer::ack(uint64_t token) {
  // Where there is no connection, the next one says it: ask_for_missing.
  const std::shared_ptr<NatsConnection> connection = client_.present();
  std::optional<NatsConnection::Cork> cork;
  if (connection) cork.emplace(*connection);
  const std::lock_guard lock(mutex_);
  for (JetStreamBacklog::Item& item : backlog_.acknowledge(token)) {
    if (connection && !item.unknown) say(*connection, item.reply(), kAck);
    released_.push_back(std::move(item));
  }
}

}  // namespace kps::plugins
