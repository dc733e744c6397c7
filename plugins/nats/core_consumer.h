// Subscribes to a subject, at most once: what comes is kept in a queue with a limit, and what does not fit is counted.
#ifndef KPS_PLUGINS_NATS_CORE_CONSUMER_H
#define KPS_PLUGINS_NATS_CORE_CONSUMER_H

#include <cstdint>
#include <deque>
#include <kps/plugin.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "nats_client.h"
#include "nats_settings.h"

namespace kps::plugins {

class CoreConsumer : public plugin::Consumer, private NatsClient::Owner {
 public:
  // Connects and subscribes.
  CoreConsumer(const plugin::Host& host, const plugin::Stream& stream, NatsIngressSettings settings);
  ~CoreConsumer() override;

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  using Clock = NatsClient::Clock;

  void begin(NatsConnection& connection) override;
  void take(std::vector<NatsMessage>& came);
  void fill(plugin::Batch& batch);
  void tell_dropped(uint64_t count);

  const plugin::Host host_;
  const std::string stream_id_;
  const NatsIngressSettings settings_;

  std::mutex mutex_;
  std::deque<NatsMessage> queue_;
  uint64_t queue_bytes_ = 0;
  uint64_t dropped_ = 0;  // and not told yet

  std::vector<NatsMessage> borrowed_;  // the batch that the host looks at
  uint64_t dropped_total_ = 0;
  NatsClient client_;
};

}  // namespace kps::plugins

#endif
