// Where a message that JetStream has delivered stands, as its reply subject says.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_DELIVERY_H
#define KPS_PLUGINS_NATS_JETSTREAM_DELIVERY_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kps::plugins {

struct JetStreamDelivery {
  uint64_t sequence = 0;  // in the stream
  uint64_t number = 0;    // of the delivery: 1, 2, 3, ... of its consumer
  int64_t stored_at_ns = 0;
};
// Nothing: this is not the reply subject of a delivery.
std::optional<JetStreamDelivery> read_delivery(std::string_view reply);

// A reply subject under which the consumer takes word of the message `sequence`, of which no delivery is known here.
// `deliveries`: how many the consumer has made.
std::string reply_for(const std::string& stream, const std::string& durable, uint64_t sequence, uint64_t deliveries);

}  // namespace kps::plugins

#endif
