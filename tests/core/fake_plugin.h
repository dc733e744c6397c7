// A plugin whose every answer is scripted in the World.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "tests/core/world.h"

namespace kps::test {

class FakeWaker : public Waker {
 public:
  explicit FakeWaker(World* world) : world_(world) {}
  void Wake() override {
    world_->Do([&] {
      woken = true;
      ++world_->wakes;
    });
  }
  void Rest() override {
    world_->Do([&] { woken = false; });
  }
  bool woken = false;

 private:
  World* const world_;
};

// Counts an instance of a stream while it lives.
class Alive {
 public:
  Alive(World* world, std::string id) : world_(world), id_(std::move(id)) {
    world_->Do([&] {
      int& most = world_->instances_most[id_];
      most = std::max(most, ++world_->instances_alive[id_]);
    });
  }
  ~Alive() {
    world_->Do([&] { --world_->instances_alive[id_]; });
  }

 private:
  World* const world_;
  const std::string id_;
};

// Reads World::source; positions and tokens are the number of messages before them.
class FakeConsumer : public Consumer {
 public:
  FakeConsumer(World* world, int connector, FakeWaker* waker, const std::string& id, std::size_t position)
      : world_(world), connector_(connector), waker_(waker), alive_(world, id), read_(position) {}
  Result<Batch> NextBatch(const BatchLimits& limits, std::chrono::milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(world_->mutex);
    world_->limits.push_back(limits);
    if (Error error = Next(&world_->next_errors); !error.ok()) return error;
    if (world_->unreadable.contains(connector_)) return Error(Code::kUnavailable, "no such source");
    std::deque<std::string>& own = world_->own[connector_];
    world_->changed.wait_for(lock, timeout, [&] {
      return waker_->woken || read_ < world_->source.size() || !own.empty() || !world_->next_errors.empty();
    });
    if (!own.empty() && !waker_->woken) {
      payload_ = own.front();
      own.pop_front();
      message_ = {payload_, 0};
      return Batch{{&message_, 1}, "", ++own_read_};
    }
    if (waker_->woken || read_ >= world_->source.size()) return Batch{};
    payload_ = world_->source[read_++];
    position_ = std::to_string(read_);
    message_ = {payload_, 0};
    return Batch{{&message_, 1}, position_, read_};
  }
  Error Ack(std::uint64_t token) override {
    return world_->Do([&] {
      if (world_->ack_error.ok()) world_->acks.push_back(token);
      return world_->ack_error;
    });
  }

 private:
  World* const world_;
  const int connector_;
  FakeWaker* const waker_;
  const Alive alive_;
  std::uint64_t own_read_ = 0;
  std::size_t read_;
  std::string payload_;
  std::string position_;
  MessageView message_;
};

class FakeProducer : public Producer {
 public:
  FakeProducer(World* world, FakeWaker* waker, const std::string& id)
      : world_(world), waker_(waker), alive_(world, id) {}
  Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds, std::size_t* taken) override {
    {
      std::unique_lock<std::mutex> lock(world_->mutex);
      world_->producing = true;
      world_->changed.wait(lock, [&] { return !world_->producer_blocked; });
    }
    return world_->Do([&] {
      *taken = 0;
      world_->produce_sizes.push_back(messages.size());
      if (world_->producer_busy) return Error(Code::kUnavailable, "busy");
      if (world_->woken_takes_nothing && waker_->woken) return Error();
      if (Error error = Next(&world_->produce_errors); !error.ok()) return error;
      for (const MessageView& message : messages) {
        if (message.payload == world_->refused) return Error(Code::kInvalidArgument, "never");
        world_->produced.emplace_back(message.payload);
        world_->produced_at_ns.push_back(message.timestamp_ns);
        ++*taken;
      }
      return Error();
    });
  }
  Error Flush(std::chrono::milliseconds timeout) override {
    {
      std::unique_lock<std::mutex> lock(world_->mutex);
      ++world_->flushes;
      world_->changed.notify_all();
      world_->changed.wait_for(lock, timeout, [&] { return !world_->flush_waits || waker_->woken; });
    }
    return world_->Do([&] {
      if (world_->woken_takes_nothing && waker_->woken) return Error(Code::kCancelled, "woken");
      if (Error error = Next(&world_->flush_errors); !error.ok()) return error;
      return world_->flush_error;
    });
  }

 private:
  World* const world_;
  FakeWaker* const waker_;
  const Alive alive_;
};

class FakeConnector : public Connector {
 public:
  FakeConnector(World* world, int number) : world_(world), number_(number) {}
  ~FakeConnector() override {
    world_->Do([&] { world_->connectors_alive.erase(number_); });
  }
  Result<ConfigureOutcome> Configure(const std::string& config_json) override {
    const auto configure = world_->Do([&] {
      world_->configs.push_back("configure " + std::to_string(number_) + ' ' + config_json);
      return world_->configure;
    });
    return configure ? configure(config_json) : ConfigureOutcome::kApplied;
  }
  Result<Discovered> Discover(std::chrono::milliseconds) override {
    const auto discover = world_->Do([&] { return world_->discover; });
    return discover ? discover(number_) : Discovered();
  }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view position,
                                                   Waker* waker) override {
    if (Error error = Create(stream.id, stream.id + '@' + std::string(position)); !error.ok()) return error;
    const std::size_t start = position.empty() ? 0 : std::stoul(std::string(position));
    return std::unique_ptr<Consumer>(
        std::make_unique<FakeConsumer>(world_, number_, static_cast<FakeWaker*>(waker), stream.id, start));
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) override {
    if (Error error = Create(stream.id, stream.id); !error.ok()) return error;
    return std::unique_ptr<Producer>(std::make_unique<FakeProducer>(world_, static_cast<FakeWaker*>(waker), stream.id));
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string&) override {
    return std::unique_ptr<Waker>(std::make_unique<FakeWaker>(world_));
  }
  bool overlap_safe() const override {
    return world_->Do([&] { return world_->overlap_safe; });
  }

 private:
  Error Create(const std::string& id, const std::string& what) {
    std::unique_lock<std::mutex> lock(world_->mutex);
    world_->created.push_back(what);
    world_->created_by.push_back(number_);
    world_->created_at.push_back(std::chrono::steady_clock::now());
    world_->changed.notify_all();
    world_->changed.wait(lock, [&] { return !world_->blocked.contains(id); });
    if (world_->failing.contains(number_)) return Error(Code::kUnavailable, "no such broker");
    if (const auto error = world_->create_error.find(id); error != world_->create_error.end()) return error->second;
    return Next(&world_->create_errors);
  }

  World* const world_;
  const int number_;
};

class FakePlugin : public Plugin {
 public:
  // Its connectors have the numbers after `before`.
  explicit FakePlugin(World* world, int before = 0) : world_(world), connectors_(before) {
    descriptor_.name = "fake";
    descriptor_.ingress = descriptor_.egress = true;
  }
  const PluginDescriptor& descriptor() const override { return descriptor_; }
  PluginDescriptor* mutable_descriptor() { return &descriptor_; }
  Result<std::unique_ptr<Connector>> CreateConnector(const std::string&, const std::string& config_json,
                                                     HostServices* services) override {
    {
      std::unique_lock<std::mutex> lock(world_->mutex);
      world_->changed.wait(lock, [&] { return !world_->blocked.contains("connector"); });
    }
    return world_->Do([&]() -> Result<std::unique_ptr<Connector>> {
      const int number = ++connectors_;
      world_->services = services;
      world_->configs.push_back("create " + std::to_string(number) + ' ' + config_json);
      if (Error error = Next(&world_->connector_errors); !error.ok()) return error;
      world_->connectors_alive.insert(number);
      return std::unique_ptr<Connector>(std::make_unique<FakeConnector>(world_, number));
    });
  }

 private:
  World* const world_;
  PluginDescriptor descriptor_;
  int connectors_;
};

// For a runtime that is given a plugin of the test's own.
inline std::shared_ptr<Plugin> NotOwned(Plugin* plugin) { return {std::shared_ptr<void>(), plugin}; }

}  // namespace kps::test
