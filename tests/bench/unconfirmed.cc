#include "tests/bench/unconfirmed.h"

#include <nats/nats.h>

#include <stdexcept>

namespace kps::bench {
namespace {

class UnconfirmedPublisher : public Publisher {
 public:
  UnconfirmedPublisher(natsConnection* connection, std::string channel)
      : connection_(connection), channel_(std::move(channel)) {}
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    const natsStatus status = natsConnection_Publish(connection_, channel_.c_str(), outgoing.envelope.data(),
                                                     static_cast<int>(outgoing.envelope.size()));
    if (status != NATS_OK) return Error(Code::kUnavailable, natsStatus_GetText(status));
    return ++issued_;
  }
  std::uint64_t Confirmed() const override { return issued_; }
  Error AwaitConfirmed(std::uint64_t, std::chrono::milliseconds) override { return {}; }

 private:
  natsConnection* const connection_;
  const std::string channel_;
  std::uint64_t issued_ = 0;
};

class UnconfirmedTransport : public Transport {
 public:
  explicit UnconfirmedTransport(const std::string& url) {
    if (const natsStatus status = natsConnection_ConnectTo(&connection_, url.c_str()); status != NATS_OK) {
      throw std::runtime_error(std::string("connect: ") + natsStatus_GetText(status));
    }
  }
  UnconfirmedTransport(const UnconfirmedTransport&) = delete;
  UnconfirmedTransport& operator=(const UnconfirmedTransport&) = delete;
  ~UnconfirmedTransport() override { natsConnection_Destroy(connection_); }

  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string& channel) override {
    return std::unique_ptr<Publisher>(std::make_unique<UnconfirmedPublisher>(connection_, channel));
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string&, const std::string&) override {
    return Error(Code::kUnimplemented, "it only publishes");
  }
  bool Connected() const override { return true; }
  std::string DisconnectReason() const override { return {}; }
  void WatchConnection(std::function<void(bool connected)> watcher) override {
    if (watcher) watcher(true);
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  natsConnection* connection_ = nullptr;
};

}  // namespace

std::unique_ptr<Transport> MakeUnconfirmedTransport(const std::string& url) {
  return std::make_unique<UnconfirmedTransport>(url);
}

}  // namespace kps::bench
