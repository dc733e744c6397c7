// A whole connector plugin: replace what its classes do.
// begin INGRESS
// INGRESS streams bring a greeting every now and then.
// end INGRESS
// begin EGRESS
// EGRESS streams count what they are given.
// end EGRESS
// begin INGRESS
#include <kps/cpp/params.hpp>
// end INGRESS
#include <kps/plugin.hpp>

// Everything of yours lives in an unnamed namespace: a plugin exports one function and nothing else.
namespace {

using namespace kps::plugin;
using std::chrono::milliseconds;

// JSON Schemas (draft 4). The host validates against them before it calls the plugin, and shows the descriptions to
// operators. The config holds for all streams, and may change while they run: see config_json().
constexpr char kConfigSchema[] = R"({"type": "object", "additionalProperties": false, "properties": {}})";

// The metadata of a stream.
constexpr char kStreamSchema[] =
    R"({"type": "object", "additionalProperties": false, "properties": {)"
    // begin INGRESS
    R"("text": {"type": "string", "minLength": 1, "default": "hello", "description": "INGRESS: the greeting"},)"
    R"("intervalMs": {"type": "integer", "minimum": 1, "maximum": 3600000, "default": 1000, "description": "pause"})"
    // end INGRESS
    R"(}})";

// begin INGRESS
// One consumer runs one INGRESS stream, on a thread of its own, so it needs no locks.
class Greeter : public Consumer {
 public:
  // Throw from a constructor to refuse the stream: the sentence is what the operator reads. A position is whatever you
  // choose, and it has to be understood by every later version of the plugin; here it is a number.
  Greeter(const Stream& stream, const std::string& position)
      : wake_fd_(stream.wake_fd), greetings_(number_of_position(position)) {
    Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    text_ = params.string_or("text", "hello");
    interval_ = milliseconds(params.integer_or("intervalMs", 1000, 1, 3600000));
    params.refuse_unknown_keys();
  }

  // Never waits longer than `timeout`, and returns at once when the host makes wake_fd readable. A source with a
  // socket waits with wait_for; one whose client library calls back derives from PushConsumer.
  void next(Batch& batch, milliseconds timeout) override {
    if (wait_until(due_, wake_fd_, timeout) != Wait::kReady) return;
    due_ = std::chrono::steady_clock::now() + interval_;
    batch.add(text_ + " " + std::to_string(++greetings_));
    batch.set_position(std::to_string(greetings_));
  }

 private:
  int wake_fd_;
  std::string text_;
  milliseconds interval_{0};
  uint64_t greetings_;
  std::chrono::steady_clock::time_point due_;
};

// end INGRESS
// begin EGRESS
// One producer runs one EGRESS stream. MessageProducer hands over one message at a time; a service that takes many
// at once derives from Producer.
class Counter : public MessageProducer {
 public:
  Counter(const Host& host, const Stream& stream) : host_(host), id_(stream.id) {}

  // Return false for "again later". Throw to report: KPS_UNAVAILABLE is tried again, KPS_INVALID_ARGUMENT is not.
  bool take(const Message& message, milliseconds) override {
    host_.counter_add(id_, "received_total", 1);
    host_.counter_add(id_, "received_bytes_total", message.size);
    return true;
  }

 private:
  Host host_;
  std::string id_;
};

// end EGRESS
// What the streams share: parameters of the deployment, the config, a connection. A new config makes a new connector,
// to which the streams move; override configure to take it in place.
struct TheConnector : Connector {
  using Connector::Connector;  // takes Host, static parameters and config

  // begin INGRESS
  std::unique_ptr<Consumer> create_consumer(const Stream& stream, const std::string& position) override {
    return std::make_unique<Greeter>(stream, position);
  }
  // end INGRESS
  // begin EGRESS
  std::unique_ptr<Producer> create_producer(const Stream& stream) override {
    return std::make_unique<Counter>(host(), stream);
  }
  // end EGRESS
};

// The name is that of the file without .so.
constexpr auto kDescriptor =
    Descriptor("template", "0.1.0", "The smallest whole plugin.", KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .config_schema(kConfigSchema)
        .stream_schema(kStreamSchema);

}  // namespace

KPS_PLUGIN(TheConnector, kDescriptor);
