#include "host/plugin/adapter.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "host/core/mutex.h"
#include "host/plugin/discover_sink.h"
#include "host/plugin/host_table.h"
#include "host/plugin/text.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

// The first release had no id.
constexpr std::uint32_t kMessageStrideMin = offsetof(kps_message, id);

uint32_t Millis(milliseconds timeout) { return static_cast<uint32_t>(std::max<milliseconds::rep>(timeout.count(), 0)); }

// One for each thread: to clear all of it for each call would be the most of what a call costs. The text is cleared
// when one was read, since a plugin may name a text and give none.
kps_error& FreshBuffer() {
  thread_local kps_error buffer{};
  buffer.struct_size = sizeof buffer;
  buffer.code = 0;
  buffer.retry_after_ms = 0;
  buffer.text_size = 0;
  return buffer;
}

// Calls `call(kps_error*)`, a function of the plugin, and turns what comes of it into an Error.
template <typename Call>
Error Guarded(const char* function, Call&& call) {
  kps_error& buffer = FreshBuffer();
  const auto text = [&](const std::string& what) { return std::string("the plugin's ") + function + " " + what; };
  kps_code code = KPS_OK;
  try {
    code = call(&buffer);
  } catch (const std::exception& exception) {
    return Error(Code::kInternal, text("threw an exception across the ABI: ") + CopyText(ToAbi(exception.what())));
  } catch (...) {
    return Error(Code::kInternal, text("threw an exception across the ABI"));
  }
  if (code == KPS_OK) return {};
  if (code < KPS_OK || code > KPS_DATA_LOSS) {
    return Error(Code::kInternal,
                 text("returned " + std::to_string(code) + ", which is no kps_code (success is KPS_OK, 1)"));
  }
  const std::size_t size = std::min<std::size_t>(buffer.text_size, KPS_ERROR_TEXT_MAX);
  Error error(static_cast<Code>(code), size == 0 ? text("failed and gave no reason") : CopyText({buffer.text, size}));
  error.set_retry_after(milliseconds(std::min(buffer.retry_after_ms, KPS_RETRY_AFTER_MS_MAX)));
  std::memset(buffer.text, 0, sizeof buffer.text);
  return error;
}

class AdaptedWaker : public Waker {
 public:
  AdaptedWaker(int fd, std::string stream_id, HostTable* host)
      : fd_(fd), stream_id_(std::move(stream_id)), host_(host) {
    host_->SetStopping(stream_id_, false);
  }
  ~AdaptedWaker() override {
    host_->Forget(stream_id_);
    close(fd_);
  }

  void Wake() override {
    MutexLock lock(mutex_);
    host_->SetStopping(stream_id_, true);
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable anyway.
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
    if (wake_instance_) wake_instance_();
  }

  void Rest() override {
    MutexLock lock(mutex_);
    host_->SetStopping(stream_id_, false);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = read(fd_, &count, sizeof count);
  }

  // While attached, Wake calls `wake` too. Detached before destroy begins.
  void Attach(std::function<void()> wake) {
    MutexLock lock(mutex_);
    wake_instance_ = std::move(wake);
  }
  void Detach() { Attach(nullptr); }

  int fd() const { return fd_; }

 private:
  const int fd_;
  const std::string stream_id_;
  HostTable* const host_;
  Mutex mutex_;
  std::function<void()> wake_instance_ KPS_GUARDED_BY(mutex_);
};

class AdaptedConsumer : public Consumer {
 public:
  AdaptedConsumer(const kps_plugin* table, kps_consumer* consumer, AdaptedWaker* waker)
      : table_(table), consumer_(consumer), waker_(waker) {
    if (table_->wake_consumer != nullptr) waker_->Attach([this] { table_->wake_consumer(consumer_); });
  }
  ~AdaptedConsumer() override {
    waker_->Detach();
    Release();
    table_->destroy_consumer(consumer_);
  }

  Result<Batch> NextBatch(const BatchLimits& limits, milliseconds timeout) override {
    Release();
    const kps_limits abi_limits{sizeof(kps_limits), limits.messages_max, limits.bytes_max};
    batch_ = {};
    batch_.struct_size = sizeof batch_;
    const Error error = Guarded("next_msg", [&](kps_error* buffer) {
      return table_->next_msg(consumer_, &abi_limits, Millis(timeout), &batch_, buffer);
    });
    if (!error.ok()) {
      batch_ = {};
      return error;
    }
    if (batch_.message_count > 0 && (batch_.messages == nullptr || batch_.message_stride < kMessageStrideMin)) {
      return Error(Code::kInternal, "the plugin's next_msg returned a batch without messages or message_stride");
    }
    if (batch_.message_count > limits.messages_max) {
      return Error(Code::kInternal, "the plugin's next_msg returned " + std::to_string(batch_.message_count) +
                                        " messages; at most " + std::to_string(limits.messages_max) +
                                        " were asked for");
    }
    if (batch_.position.size > 0 && batch_.position.data == nullptr) {
      return Error(Code::kInternal, "the plugin's next_msg returned a position with a size and no data");
    }
    if (batch_.position.size > KPS_POSITION_SIZE_MAX) {
      return Error(Code::kInternal, "the plugin's next_msg returned a position of " +
                                        std::to_string(batch_.position.size) + " bytes; at most " +
                                        std::to_string(KPS_POSITION_SIZE_MAX) + " are allowed");
    }
    views_.clear();
    const char* at = reinterpret_cast<const char*>(batch_.messages);
    for (std::size_t i = 0; i < batch_.message_count; ++i, at += batch_.message_stride) {
      auto view = View(*reinterpret_cast<const kps_message*>(at));
      if (!view.ok()) return view.error();
      views_.push_back(view.value());
    }
    return Batch{views_, {static_cast<const char*>(batch_.position.data), batch_.position.size}, batch_.token};
  }

  Error Ack(std::uint64_t token) override {
    if (table_->ack == nullptr) return {};
    return Guarded("ack", [&](kps_error* buffer) { return table_->ack(consumer_, token, buffer); });
  }

 private:
  Result<MessageView> View(const kps_message& message) const {
    if (message.payload.size > 0 && message.payload.data == nullptr) {
      return Error(Code::kInternal, "the plugin's next_msg returned a message with a size and no data");
    }
    MessageView view{{static_cast<const char*>(message.payload.data), message.payload.size}, message.timestamp_ns};
    if (batch_.message_stride < sizeof(kps_message)) return view;  // built before messages had ids
    if (message.id.size > 0 && message.id.data == nullptr) {
      return Error(Code::kInternal, "the plugin's next_msg returned a message whose id has a size and no data");
    }
    view.id = {static_cast<const char*>(message.id.data), message.id.size};
    const auto printable = [](char c) { return c > ' ' && c < '\x7F'; };
    if (view.id.size() > KPS_MESSAGE_ID_SIZE_MAX || !std::all_of(view.id.begin(), view.id.end(), printable)) {
      return Error(Code::kInternal,
                   "the plugin's next_msg returned a message whose id is not printable ASCII of at most " +
                       std::to_string(KPS_MESSAGE_ID_SIZE_MAX) + " bytes");
    }
    return view;
  }
  void Release() {
    if (batch_.release != nullptr) batch_.release(batch_.release_context);
    batch_ = {};
  }

  const kps_plugin* const table_;
  kps_consumer* const consumer_;
  AdaptedWaker* const waker_;
  kps_batch batch_{};
  std::vector<MessageView> views_;
};

class AdaptedProducer : public Producer {
 public:
  AdaptedProducer(const kps_plugin* table, kps_producer* producer, AdaptedWaker* waker)
      : table_(table), producer_(producer), waker_(waker) {
    if (table_->wake_producer != nullptr) waker_->Attach([this] { table_->wake_producer(producer_); });
  }
  ~AdaptedProducer() override {
    waker_->Detach();
    table_->destroy_producer(producer_);
  }

  Error Produce(std::span<const MessageView> messages, milliseconds timeout, std::size_t* taken) override {
    abi_messages_.clear();
    for (const MessageView& message : messages) {
      abi_messages_.push_back({{message.payload.data(), message.payload.size()}, message.timestamp_ns, {nullptr, 0}});
    }
    *taken = 0;
    Error error = Guarded("produce", [&](kps_error* buffer) {
      return table_->produce(producer_, abi_messages_.data(), abi_messages_.size(), sizeof(kps_message),
                             Millis(timeout), taken, buffer);
    });
    if (*taken > messages.size()) {
      *taken = 0;
      return Error(Code::kInternal, "the plugin's produce took more messages than it was given");
    }
    return error;
  }

  Error Flush(milliseconds timeout) override {
    if (table_->flush == nullptr) return {};
    return Guarded("flush", [&](kps_error* buffer) { return table_->flush(producer_, Millis(timeout), buffer); });
  }

 private:
  const kps_plugin* const table_;
  kps_producer* const producer_;
  AdaptedWaker* const waker_;
  std::vector<kps_message> abi_messages_;
};

class AdaptedConnector : public Connector {
 public:
  AdaptedConnector(const kps_plugin* table, std::shared_ptr<void> library, HostServices* services)
      : library_(std::move(library)), table_(table), host_(services) {}
  ~AdaptedConnector() override {
    if (connector_ != nullptr) table_->destroy_connector(connector_);
  }

  Error Create(const std::string& static_json, const std::string& config_json) {
    Error error = Guarded("create_connector", [&](kps_error* buffer) {
      return table_->create_connector(host_.get(), ToAbi(static_json), ToAbi(config_json), &connector_, buffer);
    });
    return CheckCreated("create_connector", std::move(error), connector_);
  }

  Result<ConfigureOutcome> Configure(const std::string& config_json) override {
    if (table_->configure == nullptr) return ConfigureOutcome::kRecreate;
    int32_t outcome = KPS_CONFIGURE_APPLIED;
    Error error = Guarded("configure", [&](kps_error* buffer) {
      return table_->configure(connector_, ToAbi(config_json), &outcome, buffer);
    });
    if (!error.ok()) return error;
    if (outcome == KPS_CONFIGURE_APPLIED) return ConfigureOutcome::kApplied;
    if (outcome == KPS_CONFIGURE_RECREATE) return ConfigureOutcome::kRecreate;
    return Error(Code::kInternal, "the plugin's configure returned the outcome " + std::to_string(outcome) +
                                      ", which is neither KPS_CONFIGURE_APPLIED (1) nor KPS_CONFIGURE_RECREATE (2)");
  }

  Result<Discovered> Discover(milliseconds timeout) override {
    if (table_->discover == nullptr) return Connector::Discover(timeout);
    DiscoverSink sink(table_->directions);
    Error error = Guarded("discover", [&](kps_error* buffer) {
      return table_->discover(connector_, sink.get(), Millis(timeout), buffer);
    });
    if (!error.ok()) return error;
    return sink.TakeFound();
  }

  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view resume_position,
                                                   Waker* waker) override {
    auto* adapted = static_cast<AdaptedWaker*>(waker);
    const kps_stream abi_stream = ToAbiStream(stream, adapted->fd());
    kps_consumer* consumer = nullptr;
    Error error = Guarded("create_consumer", [&](kps_error* buffer) {
      return table_->create_consumer(connector_, &abi_stream, {resume_position.data(), resume_position.size()},
                                     &consumer, buffer);
    });
    error = CheckCreated("create_consumer", std::move(error), consumer);
    if (!error.ok()) return error;
    return std::unique_ptr<Consumer>(new AdaptedConsumer(table_, consumer, adapted));
  }

  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) override {
    auto* adapted = static_cast<AdaptedWaker*>(waker);
    const kps_stream abi_stream = ToAbiStream(stream, adapted->fd());
    kps_producer* producer = nullptr;
    Error error = Guarded("create_producer", [&](kps_error* buffer) {
      return table_->create_producer(connector_, &abi_stream, &producer, buffer);
    });
    error = CheckCreated("create_producer", std::move(error), producer);
    if (!error.ok()) return error;
    return std::unique_ptr<Producer>(new AdaptedProducer(table_, producer, adapted));
  }

  Result<std::unique_ptr<Waker>> CreateWaker(const std::string& stream_id) override {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return Error(Code::kResourceExhausted, std::string("cannot make an eventfd: ") + std::strerror(errno));
    return std::unique_ptr<Waker>(new AdaptedWaker(fd, stream_id, &host_));
  }

  bool overlap_safe() const override { return (table_->flags & KPS_FLAG_OVERLAP_SAFE) != 0; }

 private:
  static Error CheckCreated(const char* function, Error error, const void* instance) {
    if (!error.ok() || instance != nullptr) return error;
    return Error(Code::kInternal, std::string("the plugin's ") + function + " returned KPS_OK but no instance");
  }

  static kps_stream ToAbiStream(const StreamSpec& stream, int wake_fd) {
    return {sizeof(kps_stream),
            static_cast<int32_t>(stream.direction),
            ToAbi(stream.id),
            ToAbi(stream.channel),
            ToAbi(stream.metadata_json),
            wake_fd,
            0};
  }

  const std::shared_ptr<void> library_;  // first in, last out: everything below lives in it
  const kps_plugin* const table_;
  HostTable host_;
  kps_connector* connector_ = nullptr;
};

std::vector<std::string> OptionalFunctions(const kps_plugin* table) {
  std::vector<std::string> names;
  const auto add = [&](const char* name, bool there) {
    if (there) names.emplace_back(name);
  };
  add("configure", table->configure != nullptr);
  add("discover", table->discover != nullptr);
  add("ack", table->ack != nullptr);
  add("wake_consumer", table->wake_consumer != nullptr);
  add("flush", table->flush != nullptr);
  add("wake_producer", table->wake_producer != nullptr);
  add("get_extension", table->get_extension != nullptr);
  return names;
}

class AdaptedPlugin : public Plugin {
 public:
  AdaptedPlugin(const kps_plugin* table, std::shared_ptr<void> library) : library_(std::move(library)), table_(table) {
    descriptor_.name = CopyText(table->name);
    descriptor_.version = CopyText(table->version);
    descriptor_.description = CopyText(table->description);
    descriptor_.ingress = (table->directions & KPS_DIRECTIONS_INGRESS) != 0;
    descriptor_.egress = (table->directions & KPS_DIRECTIONS_EGRESS) != 0;
    descriptor_.static_schema = CopyText(table->static_schema);
    descriptor_.config_schema = CopyText(table->config_schema);
    descriptor_.stream_schema = CopyText(table->stream_schema);
    descriptor_.discovers = table->discover != nullptr;
    descriptor_.abi_version = table->abi_version;
    descriptor_.functions = OptionalFunctions(table);
    descriptor_.no_unload = (table->flags & KPS_FLAG_NO_UNLOAD) != 0;
    descriptor_.overlap_safe = (table->flags & KPS_FLAG_OVERLAP_SAFE) != 0;
  }

  const PluginDescriptor& descriptor() const override { return descriptor_; }

  Result<std::unique_ptr<Connector>> CreateConnector(const std::string& static_json, const std::string& config_json,
                                                     HostServices* services) override {
    auto connector = std::make_unique<AdaptedConnector>(table_, library_, services);
    if (Error error = connector->Create(static_json, config_json); !error.ok()) return error;
    return std::unique_ptr<Connector>(std::move(connector));
  }

 private:
  const std::shared_ptr<void> library_;
  const kps_plugin* const table_;
  PluginDescriptor descriptor_;
};

}  // namespace

std::unique_ptr<Plugin> AdaptPlugin(const kps_plugin* table, std::shared_ptr<void> library) {
  return std::make_unique<AdaptedPlugin>(table, std::move(library));
}

}  // namespace kps
