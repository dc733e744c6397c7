// Port: a connector plugin. The adapter in host/plugin implements it over the C ABI of a shared library; nothing
// here assumes that the plugin runs in this process.
//
// Threads: Consumer and Producer are used by their stream's thread only, except Wake. Configure, Discover and the
// destructor of one Connector are never called at the same time; CreateConsumer, CreateProducer and CreateWaker are
// called by the stream's thread, at any time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"
#include "host/core/event.h"
#include "host/core/message.h"
#include "host/core/stream.h"

namespace kps {

struct PluginDescriptor {
  std::string name;
  std::string version;
  std::string description;
  bool ingress = false;
  bool egress = false;
  std::string static_schema;  // JSON Schema, draft 4; empty: everything is valid
  std::string config_schema;
  std::string stream_schema;
  bool discovers = false;  // Connector::Discover is supported
  // For those who look at a plugin:
  std::uint32_t abi_version = 0;       // of the plugin ABI that it was built for
  std::vector<std::string> functions;  // of that ABI that it need not have, and has
  bool no_unload = false;              // it asks to stay mapped
  bool overlap_safe = false;           // as Connector::overlap_safe
};

// What a consumer hands over at once. Views are valid until the next NextBatch of the same consumer.
struct Batch {
  std::span<const MessageView> messages;  // empty: nothing came
  std::string_view position;
  std::uint64_t token = 0;
};

struct BatchLimits {
  std::uint32_t messages_max = 1;
  std::uint64_t bytes_max = 0;
};

class Consumer {
 public:
  virtual ~Consumer() = default;
  // Waits up to `timeout` for messages. An empty batch: none came, or Wake was called.
  virtual Result<Batch> NextBatch(const BatchLimits& limits, std::chrono::milliseconds timeout) = 0;
  // Everything up to `token` is safe in the transport.
  virtual Error Ack(std::uint64_t token) = 0;
};

class Producer {
 public:
  virtual ~Producer() = default;
  // Takes the leading messages it can; `*taken` is their number, also on failure: the error is that of message *taken.
  virtual Error Produce(std::span<const MessageView> messages, std::chrono::milliseconds timeout,
                        std::size_t* taken) = 0;
  // On success everything taken is delivered.
  virtual Error Flush(std::chrono::milliseconds timeout) = 0;
};

// Makes blocked calls of one stream's instance return: before create and for its whole life.
class Waker {
 public:
  virtual ~Waker() = default;
  // From now on, blocking calls return at once. Any thread.
  virtual void Wake() = 0;
  // They block again, as before the first Wake. Any thread, not while Wake is running.
  virtual void Rest() = 0;
};

enum class ConfigureOutcome { kApplied, kRecreate };

// What a plugin has found out there.
struct Discovered {
  static constexpr std::size_t kStreamsMax = 10'000;

  std::vector<StreamSpec> streams;  // without channel; ids are unique
  std::size_t skipped = 0;          // entries that could not be used
  std::string skipped_reason;       // of the first of them
};

class Connector {
 public:
  virtual ~Connector() = default;
  // An error refuses the config: the connector goes on with the former one.
  virtual Result<ConfigureOutcome> Configure(const std::string& config_json) = 0;
  // The streams that exist out there, within `timeout`. UNIMPLEMENTED: the descriptor says that it is not supported.
  virtual Result<Discovered> Discover(std::chrono::milliseconds timeout) {
    static_cast<void>(timeout);
    return Error(Code::kUnimplemented, "this plugin does not discover streams");
  }
  // `waker` outlives the instance. May block as long as a connect takes; a Wake ends it early.
  virtual Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view resume_position,
                                                           Waker* waker) = 0;
  virtual Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) = 0;
  virtual Result<std::unique_ptr<Waker>> CreateWaker(const std::string& stream_id) = 0;
  // Two instances of one stream may exist for a moment.
  virtual bool overlap_safe() const { return false; }
  // Numbers the connectors of this process: those of its events are told apart by it. 0: it is not known.
  virtual std::uint64_t origin() const { return 0; }
};

// Services that the host offers to a plugin. Any thread; arguments are copied.
class HostServices {
 public:
  virtual ~HostServices() = default;
  virtual void Log(LogLevel level, std::string_view stream_id, std::string_view text) = 0;
  virtual void Raise(Event event) = 0;
  virtual void CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment) = 0;
  virtual void GaugeSet(std::string_view stream_id, std::string_view name, double value) = 0;
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual const PluginDescriptor& descriptor() const = 0;
  // `services` outlives the connector.
  virtual Result<std::unique_ptr<Connector>> CreateConnector(const std::string& static_json,
                                                             const std::string& config_json,
                                                             HostServices* services) = 0;
};

}  // namespace kps
