#include "kafka_consumer.h"

#include <algorithm>

#include "kafka_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

constexpr milliseconds kCommitLast{1000};  // how long the end waits for what was acknowledged
constexpr milliseconds kLeaveGroup{1000};

// The client's own queue is bounded, for each partition: what the host does not take stays at the broker. Once it is
// full, librdkafka fetches no more for a second (github.com/confluentinc/librdkafka/issues/2879): less than the host takes
// in a second would hold it up.
constexpr char kQueuedMessages[] = "100000";
constexpr char kQueuedKilobytes[] = "65536";

int64_t nanoseconds_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type;
  const int64_t ms = rd_kafka_message_timestamp(&message, &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms <= 0 || ms > INT64_MAX / 1000000 ? 0 : ms * 1000000;
}

}  // namespace

KafkaConsumer::KafkaConsumer(const plugin::Host& host, const plugin::Stream& stream, ConsumeSettings settings,
                             const std::string& position)
    : host_(host),
      stream_id_(stream.id),
      settings_(std::move(settings)),
      ids_(settings_.topic),
      client_(host, stream, settings_.cluster, settings_.topic),
      commits_(&client_, settings_.topic) {
  place_.topic = settings_.topic;
  if (!position.empty()) resume(position);

  Conf conf(settings_.cluster);
  // Also without a group, librdkafka wants a name; nothing is committed to it then.
  conf.set("group.id", settings_.group.empty() ? "kps-connector-no-group" : settings_.group);
  conf.set("session.timeout.ms", std::to_string(settings_.session_timeout_ms));
  conf.set("heartbeat.interval.ms", std::to_string(std::min<uint64_t>(3000, settings_.session_timeout_ms / 3)));
  // Not less than the session, as librdkafka wants it.
  conf.set("max.poll.interval.ms", std::to_string(std::max<uint64_t>(300000, settings_.session_timeout_ms)));
  conf.set("enable.auto.commit", "false");
  conf.set("enable.auto.offset.store", "false");
  // Where no offset is to be had, this class decides: jumping to an end would lose messages silently.
  conf.set("auto.offset.reset", "error");
  conf.set("enable.partition.eof", "true");
  conf.set("queued.min.messages", kQueuedMessages);
  conf.set("queued.max.messages.kbytes", kQueuedKilobytes);
  conf.set("fetch.error.backoff.ms", "100");
  rd_kafka_conf_set_rebalance_cb(conf.get(), &KafkaConsumer::on_rebalance);
  client_.open(RD_KAFKA_CONSUMER, std::move(conf), this);
  rd_kafka_poll_set_consumer(client_.handle());
  const KafkaPointer<rd_kafka_queue_t> queue(rd_kafka_queue_get_consumer(client_.handle()));
  client_.watch(queue.get());

  if (settings_.group.empty()) {
    for (const int32_t number : settings_.partitions) {
      Partition& partition = partitions_[number];
      const auto left = place_.next.find(number);
      if (left != place_.next.end())
        partition.from = partition.next = left->second;
      else
        partition.from = settings_.from_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    }
    start_partitions();
  } else {
    commits_.open();
    const KafkaPointer<rd_kafka_topic_partition_list_t> topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), settings_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_.handle(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw kafka_failure(error, client_.where() + ": subscribe");
  }
  client_.await_first_answer([this] {
    while (!held_ && poll_one()) {
    }
  });
}

KafkaConsumer::~KafkaConsumer() {
  borrowed_.clear();
  held_.reset();
  if (!settings_.group.empty() && !client_.away()) {
    commits_.finish(Clock::now() + kCommitLast);
    leave_group();
  }
  commits_.close();
  client_.close(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

// So that another member takes over at once; but it does not hold the end up for longer than a moment.
void KafkaConsumer::leave_group() {
  const KafkaPointer<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.handle()));
  const KafkaPointer<rd_kafka_error_t> error(rd_kafka_consumer_close_queue(client_.handle(), queue.get()));
  if (error) return;
  const Clock::time_point deadline = Clock::now() + kLeaveGroup;
  while (rd_kafka_consumer_closed(client_.handle()) == 0 && Clock::now() < deadline) {
    // As events: what was fetched comes here too, and is no callback.
    const KafkaPointer<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 10));
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) rd_kafka_assign(client_.handle(), nullptr);
  }
}

void KafkaConsumer::resume(const std::string& position) {
  std::optional<KafkaPlace> left = KafkaPlace::parse(position);
  if (!left) {
    throw Failure(KPS_DATA_LOSS, "stream " + stream_id_ + ": the position \"" + position +
                                     "\" is not \"v1 TOPIC PARTITION:OFFSET,...\"");
  }
  if (left->topic != settings_.topic) {
    host_.log(KPS_LOG_WARN, stream_id_,
              "the position is of topic " + left->topic + ": topic " + settings_.topic + " is read as without one");
    return;
  }
  place_ = std::move(*left);
  // The transport has everything before it, though the commit may have been lost.
  for (const auto& [partition, offset] : place_.next) commits_.confirm(partition, offset);
}

// Called within rd_kafka_consumer_poll, on the thread of the stream.
void KafkaConsumer::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* list,
                                 void* opaque) {
  auto* self = static_cast<KafkaConsumer*>(KafkaClient::owner_of(opaque));
  if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    self->take_assigned(list);
    return;
  }
  // The commit goes before the goodbye to the partitions, on the same connection.
  if (event == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && rd_kafka_assignment_lost(handle) == 0) self->commits_.serve();
  self->give_back();
  rd_kafka_assign(handle, nullptr);
}

void KafkaConsumer::take_assigned(const rd_kafka_topic_partition_list_t* list) {
  give_back();
  for (int i = 0; i < list->cnt; ++i) partitions_[list->elems[i].partition] = Partition();
  start_partitions();
}

void KafkaConsumer::give_back() {
  partitions_.clear();
  commits_.disown();
  restart_ = false;
  held_.reset();  // whoever gets the partition reads it
}

// librdkafka drops what it has fetched for them before.
void KafkaConsumer::start_partitions() {
  restart_ = false;
  const KafkaPointer<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size())));
  for (const auto& [number, partition] : partitions_) {
    rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), number)->offset =
        partition.next >= 0 ? partition.next : partition.from;
  }
  const rd_kafka_resp_err_t error = rd_kafka_assign(client_.handle(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) client_.fail_later(kafka_failure(error, client_.where() + ": assign"));
}

// Without a group: a position has to name every partition, else one that was silent so far would skip, after a restart
// at its end, what came meanwhile. So nothing is delivered before all starts are known.
bool KafkaConsumer::looks_for_starts() const {
  return settings_.group.empty() && settings_.from_end &&
         std::any_of(partitions_.begin(), partitions_.end(), [](const auto& entry) { return entry.second.next < 0; });
}

bool KafkaConsumer::poll_one() {
  KafkaPointer<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.handle(), 0));
  if (!message) return false;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    take_message(std::move(message));
  } else {
    take_event(*message);
  }
  return true;
}

// Where a partition starts is known now.
void KafkaConsumer::note_start(int32_t number, Partition* partition, int64_t offset) {
  if (!settings_.group.empty() && !commits_.owned(number)) {
    // Without an offset of its own the group would start elsewhere next time: the start itself is committed.
    commits_.own(number, partition->uncommitted ? -1 : offset);
    if (partition->uncommitted) commits_.confirm(number, partition->next >= 0 ? partition->next : offset);
    const auto left = place_.next.find(number);
    if (left != place_.next.end() && left->second > offset && partition->from == RD_KAFKA_OFFSET_INVALID) {
      // The commit has not come as far as the transport has the messages.
      partition->next = left->second;
      restart_ = true;
    }
  }
  if (partition->next >= 0) return;
  const bool looked = looks_for_starts();
  partition->next = offset;
  if (looked) {
    place_.next[number] = offset;
    if (!looks_for_starts()) restart_ = true;
  }
}

void KafkaConsumer::take_message(KafkaPointer<rd_kafka_message_t> message) {
  const auto found = partitions_.find(message->partition);
  if (found == partitions_.end()) return;
  const bool looked = looks_for_starts();
  note_start(found->first, &found->second, message->offset);
  // It comes again after the restart; or the transport has it already.
  if (looked || restart_ || message->offset < found->second.next) return;
  held_ = std::move(message);
}

void KafkaConsumer::take_end(int32_t number, int64_t offset) {
  const auto found = partitions_.find(number);
  if (found != partitions_.end()) note_start(number, &found->second, offset);
}

void KafkaConsumer::take_event(const rd_kafka_message_t& event) {
  switch (event.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: take_end(event.partition, event.offset); break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: take_reset(event); break;
    default:
      // The library goes on by itself after what passes; check() tells when the cluster is away.
      const Failure failure = kafka_failure(event.err, client_.where(), rd_kafka_message_errstr(&event));
      const kps_code code = failure.code();
      if (code == KPS_UNAVAILABLE || code == KPS_DEADLINE_EXCEEDED || code == KPS_ABORTED) {
        host_.log(KPS_LOG_WARN, stream_id_, failure.what());
      } else {
        client_.fail_later(failure);
      }
  }
}

// The group has no offset for the partition, or the offset is not in the topic (any more).
void KafkaConsumer::take_reset(const rd_kafka_message_t& event) {
  const auto found = partitions_.find(event.partition);
  if (found == partitions_.end()) return;
  const int32_t number = found->first;
  Partition& partition = found->second;
  restart_ = true;
  const auto left = place_.next.find(number);
  if (event.offset >= 0) {
    const std::string lost =
        client_.where() + ": partition " + std::to_string(number) + " has no offset " + std::to_string(event.offset) +
        ": its messages were deleted before they were read, or the topic was made anew. Going on " +
        "with its first message";
    host_.log(KPS_LOG_WARN, stream_id_, lost);
    host_.raise_alert(stream_id_, "messagesLost", lost, KPS_SEVERITY_CRITICAL, 0);
    partition = {RD_KAFKA_OFFSET_BEGINNING, -1, true};
    if (left != place_.next.end()) left->second = 0;
    commits_.forget(number);
    for (Unacked& unacked : unacked_) std::erase_if(unacked.next, [&](const auto& one) { return one.first == number; });
    return;
  }
  partition.uncommitted = true;
  if (left != place_.next.end()) {
    partition.from = partition.next = left->second;
  } else {
    partition.from = settings_.from_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
  }
}

void KafkaConsumer::next(plugin::Batch& batch, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  borrowed_.clear();
  for (;;) {
    commits_.serve();
    fill(batch);
    if (!batch.empty()) return finish_batch(batch);
    if (restart_) {
      start_partitions();
      continue;  // what is queued has to be looked at before the wait: only a queue that was empty tells
    }
    client_.check();
    commits_.serve();
    if (Clock::now() >= deadline) return;
    if (client_.wait(std::min(deadline, commits_.due())) == plugin::Wait::kWoken) return;
  }
}

void KafkaConsumer::fill(plugin::Batch& batch) {
  for (;;) {
    while (!held_) {
      if (restart_ || !poll_one()) return;
    }
    if (!batch.has_room(held_->len)) return;
    batch.add_borrowed(held_->payload, held_->len, nanoseconds_of(*held_));
    batch.set_id(ids_.id(held_->partition, held_->offset));
    partitions_[held_->partition].next = held_->offset + 1;
    place_.next[held_->partition] = held_->offset + 1;
    borrowed_.push_back(std::move(held_));
  }
}

void KafkaConsumer::finish_batch(plugin::Batch& batch) {
  batch.set_position(
      place_.position([this](int32_t partition, int64_t offset) { return commits_.has(partition, offset); }));
  if (settings_.group.empty()) return;
  std::map<int32_t, int64_t> next;
  for (const auto& message : borrowed_) next[message->partition] = message->offset + 1;
  unacked_.push_back({batch.token(), {next.begin(), next.end()}});
}

void KafkaConsumer::ack(uint64_t token) {
  while (!unacked_.empty() && unacked_.front().token <= token) {
    for (const auto& [partition, offset] : unacked_.front().next) commits_.confirm(partition, offset);
    unacked_.pop_front();
  }
  commits_.serve();
}

}  // namespace kps::plugins
