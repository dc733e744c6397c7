// Finds what a channel needs on a JetStream server, or makes it: a stream, and a durable consumer. Internal to
// host/transport.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "host/core/error.h"
#include "host/transport/jetstream_options.h"
#include "host/transport/nats_link.h"

namespace kps {

struct StreamBinding {
  std::string name;
  std::string created;     // when; another stream of the same name has another time
  std::string durability;  // which faults its word on a message survives, in a sentence
};

// The stream that holds `channel`; it is created where there is none, if it may be. UNAVAILABLE: the reason, and what
// to do, in a sentence. Takes up to some seconds on a server that does not answer.
Result<StreamBinding> BindStream(NatsLink& link, const JetStreamOptions& options, const std::string& channel);

// What one request for messages may ask a consumer for; 0: no limit.
struct PullLimits {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::chrono::nanoseconds expires{0};
};

struct ConsumerBinding {
  // It was not there before. Its time of creation does not tell: the server (2.9) changes that when it is restarted.
  bool made = false;
  std::chrono::milliseconds ack_wait{0};
  // Delivered to somebody, and not acknowledged: so many, of the stream's messages from `floor` + 1 to `delivered`.
  std::uint64_t ack_pending = 0;
  std::uint64_t floor = 0;
  std::uint64_t delivered = 0;
  std::uint64_t deliveries = 0;  // of all messages, by this consumer
  std::uint64_t deliveries_to_floor = 0;
  std::uint64_t requests_waiting = 0;  // for messages, of anybody
  PullLimits limits;
};

// The durable pull consumer `name` of `stream` for `channel`. A new one begins with the oldest that the stream keeps;
// one that is there gets the ack wait of the options, if it may be changed. UNAVAILABLE as above, also of one that was
// changed so that messages would be lost.
Result<ConsumerBinding> BindConsumer(NatsLink& link, const JetStreamOptions& options, const std::string& stream,
                                     const std::string& channel, const std::string& name);

}  // namespace kps
