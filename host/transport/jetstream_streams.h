// The JetStream streams of the channels that a transport uses. Internal to host/transport.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "host/core/mutex.h"
#include "host/transport/jetstream_binding.h"
#include "host/transport/nats_connection.h"

namespace kps {

class JetStreamStreams {
 public:
  explicit JetStreamStreams(std::shared_ptr<NatsConnection> connection) : connection_(std::move(connection)) {}

  NatsConnection& connection() const { return *connection_; }
  const JetStreamOptions& options() const { return *connection_->options().jetstream; }

  // As jetstream_binding.h; what the server does not permit of it stands in the error, too.
  Result<StreamBinding> Bind(NatsLink& link, const std::string& channel);
  Result<ConsumerBinding> Bind(NatsLink& link, const StreamBinding& stream, const std::string& channel,
                               const std::string& consumer);
  // As it was when it was bound last; empty: never.
  std::string Durability(const std::string& channel) const;

 private:
  Error WithReason(Error error, std::uint64_t refusals_before) const;

  const std::shared_ptr<NatsConnection> connection_;
  mutable Mutex mutex_;
  std::map<std::string, std::string> durability_ KPS_GUARDED_BY(mutex_);  // of each channel
};

}  // namespace kps
