// Publishes to a subject that a JetStream stream holds; delivered means that the stream has said so.
//
// js_PublishMsgAsync of libnats (3.4.1) keeps a copy of each message, too, but not their order when one is refused, and
// brings a thread. Here the answer to each message comes to a subject that ends in its number.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_PRODUCER_H
#define KPS_PLUGINS_NATS_JETSTREAM_PRODUCER_H

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nats_producer.h"

namespace kps::plugins {

class JetStreamProducer : public NatsProducer {
 public:
  // Connects, and looks for the stream.
  JetStreamProducer(const plugin::Stream& stream, NatsEgressSettings settings);
  ~JetStreamProducer() override;

 private:
  void begin(NatsConnection& connection) override;
  void collect(NatsConnection& connection) override;
  const char* reply_of(uint64_t number) override;
  size_t payload_max(NatsConnection& connection) override;
  uint64_t window() const override { return probing_ ? 1 : kEverything; }

  void read_answer(const NatsMessage& message);
  void check_answered(NatsConnection& connection);

  std::mutex mutex_;
  std::vector<NatsMessage> answers_;  // not read yet
  std::string inbox_;                 // of the newest connection
  std::atomic<uint64_t> message_max_{0};

  std::string reply_;
  std::vector<NatsMessage> reading_;
  std::optional<plugin::Failure> refused_;
  bool probing_ = false;             // after a refusal: one message at a time, until one is taken
  Clock::time_point last_answer_{};  // or since when something is unconfirmed
};

}  // namespace kps::plugins

#endif
