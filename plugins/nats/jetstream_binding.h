// The stream and the durable consumer that an ingress stream reads from.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_BINDING_H
#define KPS_PLUGINS_NATS_JETSTREAM_BINDING_H

#include <chrono>
#include <cstdint>
#include <string>

#include "nats_connection.h"
#include "nats_settings.h"

namespace kps::plugins {

struct JetStreamBinding {
  std::string stream;
  std::string stream_created;  // tells it from a later one of the same name
  bool consumer_made = false;
  std::chrono::milliseconds ack_wait{0};
  // What one request may ask for; 0: no limit.
  uint64_t batch_max = 0;
  uint64_t bytes_max = 0;
  uint64_t expires_max_ns = 0;

  uint64_t floor = 0;       // acknowledged up to this sequence of the stream
  uint64_t delivered = 0;   // the highest that was delivered
  uint64_t deliveries = 0;  // how many, also repeated
  uint64_t unacknowledged = 0;
  uint64_t waiting = 0;  // requests for messages, of others: this connection has made none yet
};

// Where the consumer is not there, it is made: to begin after `last_read` if that is a message of the stream that was
// created so, or else as the settings say. Throws Failure: NOT_FOUND, no stream; FAILED_PRECONDITION, the consumer is
// another than the settings say, or would lose messages; UNAVAILABLE, no answer.
struct JetStreamPlace {
  std::string stream_created;
  uint64_t last_read = 0;
};
JetStreamBinding bind_jetstream(NatsConnection& connection, const NatsIngressSettings& settings,
                                const JetStreamPlace& place);

}  // namespace kps::plugins

#endif
