// Publishes to a subject, and keeps what is not confirmed, to publish it again, in order, over the next connection.
#ifndef KPS_PLUGINS_NATS_NATS_PRODUCER_H
#define KPS_PLUGINS_NATS_NATS_PRODUCER_H

#include <cstdint>
#include <kps/plugin.hpp>
#include <memory>
#include <string>

#include "nats_client.h"
#include "nats_settings.h"
#include "unconfirmed_messages.h"

namespace kps::plugins {

// Derived classes say how the server confirms. They start the client when they are complete, and stop() in their
// destructor.
class NatsProducer : public plugin::Producer, protected NatsClient::Owner {
 public:
  NatsProducer(const plugin::Stream& stream, NatsEgressSettings settings);

  void produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) override;
  void flush(std::chrono::milliseconds timeout) override;

 protected:
  using Clock = NatsClient::Clock;

  // Confirms what the server has confirmed. Throws Failure for what it has refused.
  virtual void collect(NatsConnection& connection) = 0;
  // Where the answer to a message is to go to; null: there is none.
  virtual const char* reply_of(uint64_t number) = 0;
  // What was published before this number is to be confirmed soon: much is unconfirmed. The default is for those whose
  // messages ask themselves.
  virtual void ask(NatsConnection& connection, uint64_t end) {
    static_cast<void>(connection);
    static_cast<void>(end);
  }
  // The same, at once. Whether there is anything new to collect; it may have waited until the deadline, but not for
  // long.
  virtual bool settle(NatsConnection& connection, uint64_t end, Clock::time_point deadline) {
    static_cast<void>(connection);
    static_cast<void>(end);
    static_cast<void>(deadline);
    return false;
  }
  // Bytes that a message may have; 0: any.
  virtual size_t payload_max(NatsConnection& connection) { return connection.payload_max(); }
  // How many messages may be published and unconfirmed; there are never more than kEverything.
  static constexpr uint64_t kEverything = 1u << 20;
  virtual uint64_t window() const { return kEverything; }

  // After it, nothing of the derived class is called.
  void stop();
  // Those from this one on are published again.
  void publish_from(uint64_t number) { next_ = number; }
  std::string where() const { return settings_.subject + " at " + settings_.broker.shown; }

  const NatsEgressSettings settings_;
  UnconfirmedMessages unconfirmed_;
  NatsClient client_;

 private:
  // The present connection, on which nothing is lost, or a Failure.
  NatsConnection& advance();
  void publish(NatsConnection& connection);
  bool add(NatsConnection& connection, const plugin::Message& message);

  std::shared_ptr<NatsConnection> connection_;  // on which next_ is the next to be published
  uint64_t next_ = 1;
};

}  // namespace kps::plugins

#endif
