// Reads a JetStream stream over a durable consumer, from which it pulls. A message is acknowledged when the host has it
// safe.
//
// natsSubscription_Fetch of libnats (3.4.1) blocks, and knows no wake. So the requests for messages are made here, and
// what comes is taken as it comes.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_CONSUMER_H
#define KPS_PLUGINS_NATS_JETSTREAM_CONSUMER_H

#include <kps/plugin.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jetstream_backlog.h"
#include "jetstream_binding.h"
#include "jetstream_requests.h"
#include "nats_client.h"
#include "nats_settings.h"

namespace kps::plugins {

class JetStreamConsumer : public plugin::Consumer, private NatsClient::Owner {
 public:
  // Connects, finds the stream, and finds or makes the consumer.
  JetStreamConsumer(const plugin::Stream& stream, NatsIngressSettings settings);
  ~JetStreamConsumer() override;

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;
  void ack(uint64_t token) override;

 private:
  using Clock = NatsClient::Clock;

  void begin(NatsConnection& connection) override;
  void tend(NatsConnection& connection) override;
  // With mutex_ held.
  void ask_for_missing(NatsConnection& connection);
  void say_in_progress(NatsConnection& connection, Clock::duration older_than);
  void pull(NatsConnection& connection);
  void read_status(NatsConnection& connection, natsMsg* message);

  void take(NatsConnection& connection, std::vector<NatsMessage>& came);
  // Returns until when to wait at most, where nothing has come.
  Clock::time_point fill(plugin::Batch& batch);

  const NatsIngressSettings settings_;

  std::mutex mutex_;
  JetStreamBacklog backlog_;
  JetStreamRequests requests_;
  JetStreamBinding bound_;
  std::string inbox_;
  std::string id_end_;  // of message ids, after the sequence

  std::vector<JetStreamBacklog::Item> released_;  // acknowledged, and the host may look at them still
  std::string id_;
  NatsClient client_;
};

}  // namespace kps::plugins

#endif
