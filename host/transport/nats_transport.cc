#include "host/transport/nats_transport.h"

#include <utility>

#include "host/transport/jetstream_publisher.h"
#include "host/transport/jetstream_streams.h"
#include "host/transport/jetstream_subscription.h"
#include "host/transport/nats_connection.h"
#include "host/transport/nats_publisher.h"
#include "host/transport/nats_subscription.h"

namespace kps {
namespace {

class NatsTransport : public Transport {
 public:
  explicit NatsTransport(std::shared_ptr<NatsConnection> connection) : connection_(std::move(connection)) {
    if (connection_->options().jetstream) streams_ = std::make_shared<JetStreamStreams>(connection_);
  }

  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    if (streams_) return std::unique_ptr<Publisher>(new JetStreamPublisher(streams_, channel));
    return std::unique_ptr<Publisher>(new NatsPublisher(connection_, channel));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& channel, const std::string& name) override {
    if (streams_) return JetStreamSubscription::Open(streams_, channel, name);
    return NatsSubscription::Open(connection_, channel);
  }
  bool Connected() const override { return connection_->connected(); }
  std::string DisconnectReason() const override { return connection_->DisconnectReason(); }
  void WatchConnection(std::function<void(bool connected)> watcher) override { connection_->Watch(std::move(watcher)); }
  TransportCounters Counters() const override { return connection_->Counters(); }
  std::size_t EnvelopeBytesMax() const override { return connection_->max_payload(); }
  bool KeepsMessages() const override { return streams_ != nullptr; }
  std::string Durability(const std::string& channel) const override {
    return streams_ ? streams_->Durability(channel) : "";
  }

 private:
  const std::shared_ptr<NatsConnection> connection_;
  std::shared_ptr<JetStreamStreams> streams_;  // null: core NATS
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeNatsTransport(NatsOptions options, Logger* logger) {
  auto connection = NatsConnection::Open(std::move(options), logger);
  if (!connection.ok()) return connection.error();
  return std::unique_ptr<Transport>(new NatsTransport(std::move(connection.value())));
}

}  // namespace kps
