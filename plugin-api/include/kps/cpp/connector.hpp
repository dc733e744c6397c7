// The classes that a plugin derives from. Each function is called on the thread that kps/plugin.h names; calls
// on one object never overlap, except wake.
#ifndef KPS_CPP_CONNECTOR_HPP
#define KPS_CPP_CONNECTOR_HPP

#include <chrono>
#include <memory>
#include <string>

#include "../plugin.h"
#include "batch.hpp"
#include "host.hpp"
#include "text.hpp"

namespace kps {
namespace plugin {

// A copy of kps_stream: it may be kept.
struct Stream {
  explicit Stream(const kps_stream &stream)
      : direction(stream.direction),
        id(to_string(stream.id)),
        channel(to_string(stream.channel)),
        metadata_json(to_string(stream.metadata_json)),
        wake_fd(stream.wake_fd) {}

  int32_t direction;
  std::string id;
  std::string channel;
  std::string metadata_json;
  int wake_fd;  // see wait_for
};

// Reads one ingress stream.
class Consumer {
 public:
  Consumer() {}
  virtual ~Consumer() {}
  Consumer(const Consumer &) = delete;
  Consumer &operator=(const Consumer &) = delete;

  // [stream] Waits up to `timeout` for at least one message, adds what there is while batch.has_room, and sets the
  // position. Returns with an empty batch when nothing came or Stream::wake_fd is readable. When it throws after
  // adding messages, these are delivered first and the failure is reported by the call after.
  virtual void next(Batch &batch, std::chrono::milliseconds timeout) = 0;

  // [stream] Every batch up to `token` (Batch::token) is safe in the transport.
  virtual void ack(uint64_t token) { static_cast<void>(token); }

  // [any] Makes a blocked next return. Not needed when next waits on Stream::wake_fd.
  virtual void wake() {}
};

// One message of an egress stream, borrowed for the call.
struct Message {
  const char *data;
  size_t size;
  int64_t timestamp_ns;

  std::string text() const { return size == 0 ? std::string() : std::string(data, size); }
};

class Messages {
 public:
  Messages(const kps_message *first, size_t count, uint32_t stride)
      : first_(reinterpret_cast<const char *>(first)), count_(count), stride_(stride) {}

  size_t size() const { return count_; }
  Message operator[](size_t index) const {
    const kps_message *message = reinterpret_cast<const kps_message *>(first_ + index * stride_);
    Message result = {static_cast<const char *>(message->payload.data), message->payload.size, message->timestamp_ns};
    return result;
  }

 private:
  const char *first_;
  size_t count_;
  size_t stride_;
};

// Writes one egress stream, many messages at a time.
class Producer {
 public:
  Producer() {}
  virtual ~Producer() {}
  Producer(const Producer &) = delete;
  Producer &operator=(const Producer &) = delete;

  // [stream] Takes the leading messages it can and counts them in `taken` as it goes; a Failure is about
  // messages[taken]. Returning with fewer than all means "again later".
  virtual void produce(const Messages &messages, std::chrono::milliseconds timeout, size_t &taken) = 0;

  // [stream] Returns when all that was taken is delivered. For a producer that buffers. After a transient Failure, what
  // was taken comes to a new producer, or flush is called again: then it has to make good for all of it.
  virtual void flush(std::chrono::milliseconds timeout) { static_cast<void>(timeout); }

  // [any] Makes a blocked call return. Not needed when the calls wait on Stream::wake_fd.
  virtual void wake() {}
};

// A producer that looks at one message at a time.
class MessageProducer : public Producer {
 public:
  // [stream] Takes one message and returns true; false means "again later". Throws when it cannot be taken.
  virtual bool take(const Message &message, std::chrono::milliseconds timeout) = 0;

  void produce(const Messages &messages, std::chrono::milliseconds timeout, size_t &taken) override {
    const std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + timeout;
    while (taken < messages.size() && take(messages[taken], timeout)) {
      ++taken;
      if (timeout.count() == 0) continue;
      timeout = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (timeout.count() < 0) timeout = std::chrono::milliseconds(0);
    }
  }
};

// What configure did with the new config.
enum class Configured { kApplied, kRecreate };

// Takes what Connector::discover finds.
class DiscoverSink {
 public:
  explicit DiscoverSink(const kps_discover_sink *sink) : sink_(sink) {}

  // A JSON object with "id" and, optionally, "direction" and "metadata".
  void found(const std::string &stream_json) const { sink_->found(sink_->context, to_str(stream_json)); }

 private:
  const kps_discover_sink *sink_;
};

// One for a generation of the library. Derive with this constructor (`using Connector::Connector;` will do), and
// override create_consumer, create_producer or both, as the descriptor's directions say.
class Connector {
 public:
  // The parameters are JSON objects. Throw to refuse them.
  Connector(const Host &host, const std::string &static_json, const std::string &config_json)
      : host_(host), static_json_(static_json), config_json_(config_json) {}
  virtual ~Connector() {}
  Connector(const Connector &) = delete;
  Connector &operator=(const Connector &) = delete;

  // [control] The whole new config. Throw to refuse it: the old one stays.
  virtual Configured configure(const std::string &config_json) {
    static_cast<void>(config_json);
    return Configured::kRecreate;
  }

  // [control] Optional: a plugin that does not override it does not offer discovery. Override it in public.
  virtual void discover(const DiscoverSink &sink, std::chrono::milliseconds timeout) {
    static_cast<void>(sink);
    static_cast<void>(timeout);
  }

  // [stream] `position` is that of the last confirmed batch, or empty. Throw KPS_DATA_LOSS when it makes no sense.
  virtual std::unique_ptr<Consumer> create_consumer(const Stream &stream, const std::string &position) {
    static_cast<void>(position);
    throw Failure(KPS_UNIMPLEMENTED, "stream " + stream.id + ": this plugin has no INGRESS streams");
  }

  // [stream]
  virtual std::unique_ptr<Producer> create_producer(const Stream &stream) {
    throw Failure(KPS_UNIMPLEMENTED, "stream " + stream.id + ": this plugin has no EGRESS streams");
  }

  const Host &host() const { return host_; }
  // What the connector was made with. A config that configure has applied since is the plugin's own to keep.
  const std::string &static_json() const { return static_json_; }
  const std::string &config_json() const { return config_json_; }

 private:
  Host host_;
  std::string static_json_;
  std::string config_json_;
};

}  // namespace plugin
}  // namespace kps

#endif
