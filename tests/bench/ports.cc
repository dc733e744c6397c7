#include "tests/bench/ports.h"

namespace kps::bench {
namespace {

using Taken = std::function<void(std::size_t count)>;

class CountingProducer : public Producer {
 public:
  CountingProducer(std::unique_ptr<Producer> producer, const Taken& taken)
      : producer_(std::move(producer)), taken_(taken) {}
  Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds timeout, std::size_t* taken) override {
    Error error = producer_->Produce(messages, timeout, taken);
    if (*taken > 0) taken_(*taken);
    return error;
  }
  Error Flush(std::chrono::milliseconds timeout) override { return producer_->Flush(timeout); }

 private:
  const std::unique_ptr<Producer> producer_;
  const Taken& taken_;
};

class CountingConnector : public Connector {
 public:
  CountingConnector(std::unique_ptr<Connector> connector, const Taken& taken)
      : connector_(std::move(connector)), taken_(taken) {}
  Result<ConfigureOutcome> Configure(const std::string& config_json) override {
    return connector_->Configure(config_json);
  }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view resume_position,
                                                   Waker* waker) override {
    return connector_->CreateConsumer(stream, resume_position, waker);
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) override {
    auto producer = connector_->CreateProducer(stream, waker);
    if (!producer.ok()) return producer.error();
    return std::unique_ptr<Producer>(new CountingProducer(std::move(producer.value()), taken_));
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string& stream_id) override {
    return connector_->CreateWaker(stream_id);
  }

 private:
  const std::unique_ptr<Connector> connector_;
  const Taken& taken_;
};

class CountingPlugin : public Plugin {
 public:
  CountingPlugin(std::unique_ptr<Plugin> plugin, Taken taken) : plugin_(std::move(plugin)), taken_(std::move(taken)) {}
  const PluginDescriptor& descriptor() const override { return plugin_->descriptor(); }
  Result<std::unique_ptr<Connector>> CreateConnector(const std::string& static_json, const std::string& config_json,
                                                     HostServices* services) override {
    auto connector = plugin_->CreateConnector(static_json, config_json, services);
    if (!connector.ok()) return connector.error();
    return std::unique_ptr<Connector>(new CountingConnector(std::move(connector.value()), taken_));
  }

 private:
  const std::unique_ptr<Plugin> plugin_;
  const Taken taken_;
};

}  // namespace

std::unique_ptr<Plugin> CountProduced(std::unique_ptr<Plugin> plugin, std::function<void(std::size_t count)> taken) {
  return std::make_unique<CountingPlugin>(std::move(plugin), std::move(taken));
}

}  // namespace kps::bench
