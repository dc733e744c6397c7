// Writes to one topic, each message once and in order for as long as the producer lives.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_PRODUCER_H
#define KPS_PLUGINS_KAFKA_KAFKA_PRODUCER_H

#include <kps/plugin.hpp>
#include <optional>
#include <string>

#include "kafka_client.h"
#include "kafka_settings.h"

namespace kps::plugins {

class KafkaProducer : public plugin::Producer {
 public:
  KafkaProducer(const plugin::Host& host, const plugin::Stream& stream, ProduceSettings settings);
  ~KafkaProducer() override;

  void produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) override;
  void flush(std::chrono::milliseconds timeout) override;

 private:
  using Clock = KafkaClient::Clock;

  static void on_report(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);
  void serve();
  bool enqueue(const plugin::Message& message);
  void check_lost();

  const ProduceSettings settings_;
  KafkaClient client_;
  uint64_t outstanding_ = 0;  // taken, and not reported yet
  // A message that was taken will not be delivered by this producer. It stays so.
  std::optional<plugin::Failure> lost_;
  bool lost_was_told_ = false;
};

}  // namespace kps::plugins

#endif
