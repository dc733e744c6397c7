#include "kafka_producer.h"

#include <algorithm>

#include "kafka_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::milliseconds;

constexpr char kQueuedMessages[] = "10000";
constexpr char kQueuedKilobytes[] = "131072";

}  // namespace

KafkaProducer::KafkaProducer(const plugin::Host& host, const plugin::Stream& stream, ProduceSettings settings)
    : settings_(std::move(settings)), client_(host, stream, settings_.cluster, settings_.topic) {
  Conf conf(settings_.cluster);
  conf.set("enable.idempotence", "true");
  conf.set("acks", "all");
  // The library never gives a message up: flush says how long it takes, and the host decides.
  conf.set("message.timeout.ms", "0");
  conf.set("compression.codec", settings_.compression);
  conf.set("message.max.bytes", std::to_string(settings_.message_bytes_max));
  conf.set("queue.buffering.max.messages", kQueuedMessages);
  conf.set("queue.buffering.max.kbytes", kQueuedKilobytes);
  conf.set("linger.ms", "2");
  // As Java's clients do: who writes with the same key elsewhere meets the same partition.
  conf.set("partitioner", "murmur2_random");
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &KafkaProducer::on_report);
  client_.open(RD_KAFKA_PRODUCER, std::move(conf), this);
  const KafkaPointer<rd_kafka_queue_t> queue(rd_kafka_queue_get_main(client_.handle()));
  client_.watch(queue.get());
  client_.await_first_answer([this] { serve(); });
  client_.check();
}

KafkaProducer::~KafkaProducer() {
  if (client_.handle() == nullptr) return;
  // What is not confirmed belongs to the host still.
  rd_kafka_purge(client_.handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  client_.close(0);
}

// Within serve(), on the thread of the stream.
void KafkaProducer::on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* self = static_cast<KafkaProducer*>(KafkaClient::owner_of(opaque));
  --self->outstanding_;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || self->lost_) return;
  const std::string what = self->client_.where() + ": a message was not delivered";
  const bool too_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  self->lost_ = kafka_failure(message->err, what,
                              too_large ? "it is larger than max.message.bytes of the topic; raise that, or lower "
                                          "\"messageBytesMax\" of the stream"
                                        : "");
}

// To the last event: only a queue that was empty ends a wait.
void KafkaProducer::serve() {
  while (rd_kafka_poll(client_.handle(), 0) > 0) {
  }
}

// What was lost cannot be made good here, as it is not kept: the host has it, or nobody.
void KafkaProducer::check_lost() {
  if (!lost_) return;
  if (!lost_was_told_) {
    lost_was_told_ = true;
    throw Failure(*lost_);
  }
  throw Failure(KPS_DATA_LOSS, std::string(lost_->what()) + "; this producer does not have it any more");
}

void KafkaProducer::produce(const plugin::Messages& messages, milliseconds timeout, size_t& taken) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    serve();
    if (lost_) check_lost();
    client_.check();
    while (taken < messages.size() && enqueue(messages[taken])) ++taken;
    if (taken > 0 || messages.size() == 0 || Clock::now() >= deadline) return;
    if (client_.wait(deadline) == plugin::Wait::kWoken) return;
  }
}

// False when the queue is full.
bool KafkaProducer::enqueue(const plugin::Message& message) {
  rd_kafka_vu_t parts[6];
  size_t count = 0;
  parts[count].vtype = RD_KAFKA_VTYPE_RKT;
  parts[count++].u.rkt = client_.topic();
  parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
  parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
  // Without an address it would be a null value, which deletes in a compacted topic; it is an empty one.
  parts[count].u.mem.ptr = const_cast<char*>(message.size == 0 ? "" : message.data);
  parts[count++].u.mem.size = message.size;
  if (message.timestamp_ns > 0) {
    parts[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[count++].u.i64 = message.timestamp_ns / 1000000;
  }
  if (!settings_.key.empty()) {
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count].u.mem.ptr = const_cast<char*>(settings_.key.data());
    parts[count++].u.mem.size = settings_.key.size();
  }
  const KafkaPointer<rd_kafka_error_t> error(rd_kafka_produceva(client_.handle(), parts, count));
  if (!error) {
    ++outstanding_;
    return true;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    throw Failure(KPS_INVALID_ARGUMENT, client_.where() + ": a message of " + std::to_string(message.size) +
                                            " bytes is larger than \"messageBytesMax\", " +
                                            std::to_string(settings_.message_bytes_max));
  }
  throw kafka_failure(code, client_.where() + ": produce", rd_kafka_error_string(error.get()));
}

void KafkaProducer::flush(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    serve();
    if (lost_) check_lost();
    if (outstanding_ == 0) return;
    client_.check();
    const bool woken = client_.wait(deadline) == plugin::Wait::kWoken;
    serve();
    if (outstanding_ == 0) continue;
    const std::string rest = client_.where() + ": " + std::to_string(outstanding_) + " messages are not confirmed yet";
    if (woken) throw Failure(KPS_CANCELLED, rest);
    if (Clock::now() >= deadline)
      throw Failure(KPS_DEADLINE_EXCEEDED, rest + ", after " + std::to_string(timeout.count()) + " ms");
  }
}

}  // namespace kps::plugins
