// Publishes to a subject; delivered means that the server has answered a round trip after it.
#ifndef KPS_PLUGINS_NATS_CORE_PRODUCER_H
#define KPS_PLUGINS_NATS_CORE_PRODUCER_H

#include "nats_producer.h"

namespace kps::plugins {

class CoreProducer : public NatsProducer {
 public:
  // Connects.
  CoreProducer(const plugin::Stream& stream, NatsEgressSettings settings);
  ~CoreProducer() override;

 private:
  void begin(NatsConnection&) override {}
  void collect(NatsConnection& connection) override;
  const char* reply_of(uint64_t) override { return nullptr; }
  void ask(NatsConnection& connection, uint64_t end) override;
  bool settle(NatsConnection& connection, uint64_t end, Clock::time_point deadline) override;

  // The round trip that is made just now.
  const NatsConnection* asked_on_ = nullptr;
  uint64_t ticket_ = 0;
  uint64_t asked_end_ = 0;  // what was published before it
};

}  // namespace kps::plugins

#endif
