// A whole plugin. Copy this folder to plugins/<your name>, rename what says "template", and replace what the two
// classes do. INGRESS streams bring a greeting every now and then; EGRESS streams count what they are given.
#include <common/params.h>

#include <kps/plugin.hpp>

// Everything of yours lives in an unnamed namespace: a plugin exports one function and nothing else.
namespace {

using std::chrono::milliseconds;

// The JSON Schema (draft 4) of a stream's metadata. The host validates against it before it calls the plugin, and
// shows the descriptions to operators.
constexpr char kStreamSchema[] = R"({
  "type": "object",
  "properties": {
    "text": {"type": "string", "minLength": 1, "description": "INGRESS: the greeting", "default": "hello"},
    "intervalMs": {"type": "integer", "minimum": 1, "maximum": 3600000, "default": 1000,
                   "description": "INGRESS: milliseconds between two greetings"}
  },
  "additionalProperties": false
})";

// One consumer runs one INGRESS stream, on a thread of its own, so it needs no locks.
class Greeter : public kps::plugin::Consumer {
 public:
  // Throw from a constructor to refuse the stream: the sentence is what the operator reads.
  Greeter(const kps::plugin::Stream& stream, const std::string& position) : wake_fd_(stream.wake_fd) {
    kps::plugins::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    text_ = params.string_or("text", "hello");
    interval_ = milliseconds(params.integer_or("intervalMs", 1000, 1, 3600000));
    params.refuse_unknown_keys();

    // A position is whatever you choose, and it has to be understood by every later version of the plugin. One
    // that you cannot understand is KPS_DATA_LOSS: never guess where to go on.
    if (position.empty()) return;
    if (position.size() > 18 || position.find_first_not_of("0123456789") != std::string::npos)
      throw kps::plugin::Failure(KPS_DATA_LOSS, "stream " + stream.id + ": bad position " + position);
    greetings_ = std::stoull(position);
  }

  // Never waits longer than `timeout`, and returns at once when the host makes wake_fd readable. A source with a
  // socket gives it to wait_for instead of -1; one whose client library calls back derives from PushConsumer.
  void next(kps::plugin::Batch& batch, milliseconds timeout) override {
    const auto left = std::chrono::duration_cast<milliseconds>(due_ - Clock::now()) + milliseconds(1);
    if (due_ > Clock::now()) kps::plugin::wait_for(-1, 0, wake_fd_, std::min(left, timeout));
    if (due_ > Clock::now()) return;
    due_ = Clock::now() + interval_;
    batch.add(text_ + " " + std::to_string(++greetings_));
    batch.set_position(std::to_string(greetings_));
  }

 private:
  using Clock = std::chrono::steady_clock;

  int wake_fd_;
  std::string text_;
  milliseconds interval_{0};
  uint64_t greetings_ = 0;
  Clock::time_point due_ = Clock::now();
};

// One producer runs one EGRESS stream. MessageProducer hands over one message at a time; a service that takes many
// at once derives from Producer.
class Counter : public kps::plugin::MessageProducer {
 public:
  Counter(const kps::plugin::Host& host, const kps::plugin::Stream& stream) : host_(host), id_(stream.id) {}

  // Return false for "again later". Throw to report: KPS_UNAVAILABLE is tried again, KPS_INVALID_ARGUMENT is not.
  bool take(const kps::plugin::Message& message, milliseconds) override {
    host_.counter_add(id_, "received_total", 1);
    host_.counter_add(id_, "received_bytes_total", message.size);
    return true;
  }

 private:
  kps::plugin::Host host_;
  std::string id_;
};

// What the streams share: parameters of the deployment, a connection. Here there is nothing, so the constructor is
// the base's, which takes Host, static parameters and config.
class TemplateConnector : public kps::plugin::Connector {
 public:
  using Connector::Connector;

  std::unique_ptr<kps::plugin::Consumer> create_consumer(const kps::plugin::Stream& stream,
                                                         const std::string& position) override {
    return std::make_unique<Greeter>(stream, position);
  }
  std::unique_ptr<kps::plugin::Producer> create_producer(const kps::plugin::Stream& stream) override {
    return std::make_unique<Counter>(host(), stream);
  }
};

// The name is that of the file without .so. KPS_FLAG_OVERLAP_SAFE: during a hot swap the new consumer may already
// run while the old one still does.
constexpr auto kDescriptor =
    kps::plugin::Descriptor("template", "0.1.0", "Greets on INGRESS streams and counts on EGRESS streams.",
                            KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .flags(KPS_FLAG_OVERLAP_SAFE)
        .stream_schema(kStreamSchema);

}  // namespace

KPS_PLUGIN(TemplateConnector, kDescriptor);
