// The objects of a plugin, with each call marked while it runs, their destruction with them.
#pragma once

#include <memory>
#include <utility>

#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"

namespace kps {

class MarkedConsumer : public Consumer {
 public:
  // `mark` outlives it.
  MarkedConsumer(std::unique_ptr<Consumer> consumer, PluginCalls::Mark* mark)
      : consumer_(std::move(consumer)), mark_(mark) {}
  ~MarkedConsumer() override {
    const PluginCalls::Scope call(mark_, "destroy_consumer");
    consumer_.reset();
  }
  Result<Batch> NextBatch(const BatchLimits& limits, std::chrono::milliseconds timeout) override {
    const PluginCalls::Scope call(mark_, "next_msg", timeout);
    return consumer_->NextBatch(limits, timeout);
  }
  Error Ack(std::uint64_t token) override {
    const PluginCalls::Scope call(mark_, "ack");
    return consumer_->Ack(token);
  }

 private:
  std::unique_ptr<Consumer> consumer_;
  PluginCalls::Mark* const mark_;
};

class MarkedProducer : public Producer {
 public:
  // `mark` outlives it.
  MarkedProducer(std::unique_ptr<Producer> producer, PluginCalls::Mark* mark)
      : producer_(std::move(producer)), mark_(mark) {}
  ~MarkedProducer() override {
    const PluginCalls::Scope call(mark_, "destroy_producer");
    producer_.reset();
  }
  Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds timeout, std::size_t* taken) override {
    const PluginCalls::Scope call(mark_, "produce", timeout);
    return producer_->Produce(messages, timeout, taken);
  }
  Error Flush(std::chrono::milliseconds timeout) override {
    const PluginCalls::Scope call(mark_, "flush", timeout);
    return producer_->Flush(timeout);
  }

 private:
  std::unique_ptr<Producer> producer_;
  PluginCalls::Mark* const mark_;
};

// Its consumers and producers are the plain ones: a stream has a mark of its own.
class MarkedConnector : public Connector {
 public:
  // `calls` outlives it. `generation` is what the connector is of, and is let go after it.
  MarkedConnector(std::unique_ptr<Connector> connector, PluginCalls* calls, std::uint64_t origin,
                  std::shared_ptr<const void> generation)
      : calls_(calls), origin_(origin), generation_(std::move(generation)), connector_(std::move(connector)) {}
  ~MarkedConnector() override {
    const PluginCalls::ControlCall call(calls_, "destroy_connector");
    connector_.reset();
  }
  Result<ConfigureOutcome> Configure(const std::string& config_json) override {
    const PluginCalls::ControlCall call(calls_, "configure");
    return connector_->Configure(config_json);
  }
  Result<Discovered> Discover(std::chrono::milliseconds timeout) override {
    const PluginCalls::ControlCall call(calls_, "discover", timeout);
    return connector_->Discover(timeout);
  }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view resume_position,
                                                   Waker* waker) override {
    return connector_->CreateConsumer(stream, resume_position, waker);
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) override {
    return connector_->CreateProducer(stream, waker);
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string& stream_id) override {
    return connector_->CreateWaker(stream_id);
  }
  bool overlap_safe() const override { return connector_->overlap_safe(); }
  std::uint64_t origin() const override { return origin_; }

 private:
  PluginCalls* const calls_;
  const std::uint64_t origin_;
  const std::shared_ptr<const void> generation_;
  std::unique_ptr<Connector> connector_;
};

}  // namespace kps
