#include "tests/grpc/fixture.h"

#include <algorithm>
#include <chrono>

#include "google/rpc/error_details.pb.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

class FakeWaker : public Waker {
 public:
  void Wake() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    awake_ = true;
    changed_.notify_all();
  }
  void Rest() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    awake_ = false;
  }
  void WaitFor(milliseconds timeout) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return awake_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = false;
};

class FakeConsumer : public Consumer {
 public:
  explicit FakeConsumer(Waker* waker) : waker_(static_cast<FakeWaker*>(waker)) {}
  Result<Batch> NextBatch(const BatchLimits&, milliseconds timeout) override {
    waker_->WaitFor(std::min(timeout, milliseconds(120)));  // not so short that the host takes it for spinning
    return Batch{};
  }
  Error Ack(std::uint64_t) override { return {}; }

 private:
  FakeWaker* const waker_;
};

class FakeProducer : public Producer {
 public:
  Error Produce(std::span<const MessageView> messages, milliseconds, std::size_t* taken) override {
    *taken = messages.size();
    return {};
  }
  Error Flush(milliseconds) override { return {}; }
};

class FakeConnector : public Connector {
 public:
  explicit FakeConnector(Plant* plant) : plant_(plant) {}
  Result<ConfigureOutcome> Configure(const std::string& config_json) override {
    std::unique_lock<std::mutex> lock(plant_->mutex);
    ++plant_->configures_blocked;
    plant_->changed.notify_all();
    plant_->changed.wait(lock, [this] { return !plant_->configure_blocks; });
    --plant_->configures_blocked;
    if (!plant_->configure_error.ok()) return plant_->configure_error;
    plant_->configs.push_back(config_json);
    return ConfigureOutcome::kApplied;
  }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view, Waker* waker) override {
    Created(stream);
    return std::unique_ptr<Consumer>(std::make_unique<FakeConsumer>(waker));
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker*) override {
    Created(stream);
    return std::unique_ptr<Producer>(std::make_unique<FakeProducer>());
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string&) override {
    return std::unique_ptr<Waker>(std::make_unique<FakeWaker>());
  }

 private:
  void Created(const StreamSpec& stream) {
    plant_->Do([&] {
      plant_->created[stream.id] = stream.metadata_json;
      ++plant_->creations[stream.id];
    });
  }
  Plant* const plant_;
};

class FakePlugin : public Plugin {
 public:
  FakePlugin(Plant* plant, PluginDescriptor descriptor) : plant_(plant), descriptor_(std::move(descriptor)) {}
  const PluginDescriptor& descriptor() const override { return descriptor_; }
  Result<std::unique_ptr<Connector>> CreateConnector(const std::string&, const std::string&,
                                                     HostServices* services) override {
    plant_->Do([&] { plant_->services = services; });
    return std::unique_ptr<Connector>(std::make_unique<FakeConnector>(plant_));
  }

 private:
  Plant* const plant_;
  const PluginDescriptor descriptor_;
};

class FakePublisher : public Publisher {
 public:
  Result<std::uint64_t> Publish(const Outgoing&) override { return ++ticket_; }
  std::uint64_t Confirmed() const override { return ticket_; }
  Error AwaitConfirmed(std::uint64_t, milliseconds) override { return {}; }

 private:
  std::uint64_t ticket_ = 0;
};

class FakeSubscription : public Subscription {
 public:
  Result<Delivery> Receive(milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return draining_; });
    return Error(draining_ ? Code::kCancelled : Code::kDeadlineExceeded, "none");
  }
  void Acknowledge(std::uint64_t) override {}
  bool Return() override { return false; }
  void Drain() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
    changed_.notify_all();
  }
  std::uint64_t Dropped() const override { return 0; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool draining_ = false;
};

class FakeTransport : public Transport {
 public:
  explicit FakeTransport(Plant* plant) : plant_(plant) {}
  Result<std::unique_ptr<Publisher>> OpenPublisher(const std::string&) override {
    return std::unique_ptr<Publisher>(std::make_unique<FakePublisher>());
  }
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string&, const std::string&) override {
    return std::unique_ptr<Subscription>(std::make_unique<FakeSubscription>());
  }
  bool Connected() const override {
    return plant_->Do([this] { return plant_->connected; });
  }
  std::string DisconnectReason() const override { return Connected() ? "" : "unplugged"; }
  void WatchConnection(std::function<void(bool)> watcher) override {
    plant_->Do([&] {
      plant_->watcher = std::move(watcher);
      if (plant_->watcher) plant_->watcher(plant_->connected);
    });
  }
  TransportCounters Counters() const override { return {}; }
  std::size_t EnvelopeBytesMax() const override { return 0; }

 private:
  Plant* const plant_;
};

class SilentLogger : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
};

class FixedClock : public Clock {
 public:
  std::int64_t NowNs() const override { return 1'790'000'000'123'456'789; }
};

}  // namespace

PluginDescriptor BothDirections() {
  PluginDescriptor descriptor;
  descriptor.name = "fake";
  descriptor.ingress = descriptor.egress = true;
  return descriptor;
}

Fixture::Fixture() : Fixture(Options{}) {}

Fixture::Fixture(Options options)
    : plugin_(std::make_unique<FakePlugin>(&plant_, options.descriptor)),
      transport_(std::make_unique<FakeTransport>(&plant_)),
      logger_(std::make_unique<SilentLogger>()),
      clock_(std::make_unique<FixedClock>()) {
  plant_.connected = options.connected;
  auto runtime = Runtime::Create(
      {options.connector_id},
      {std::shared_ptr<Plugin>(std::shared_ptr<void>(), plugin_.get()), transport_.get(), logger_.get(), clock_.get()});
  if (!runtime.ok()) throw std::runtime_error(runtime.error().ToString());
  runtime_ = std::move(runtime.value());
  auto server = Server::Start("127.0.0.1:0", {runtime_.get(), transport_.get()}, options.limits);
  if (!server.ok()) throw std::runtime_error(server.error().ToString());
  server_ = std::move(server.value());
  stub_ = v1::ConnectorService::NewStub(NewChannel());
}

Fixture::~Fixture() {
  plant_.Do([this] { plant_.configure_blocks = false; });
  server_.reset();
  runtime_.reset();
}

std::shared_ptr<grpc::Channel> Fixture::NewChannel(grpc::ChannelArguments arguments) const {
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
}

v1::ResponseStatus Fixture::Set(const v1::SetPayloadRequest& request) {
  grpc::ClientContext context;
  v1::SetPayloadResponse response;
  const grpc::Status status = stub_->SetPayload(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
  return response.status();
}

v1::GetPayloadResponse Fixture::Get(v1::PayloadKind kind, const std::string& connector_id) {
  grpc::ClientContext context;
  v1::GetPayloadRequest request;
  request.set_connector_id(connector_id);
  request.set_kind(kind);
  v1::GetPayloadResponse response;
  const grpc::Status status = stub_->GetPayload(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
  return response;
}

v1::GetEventsResponse Fixture::Events(const std::string& connector_id) {
  grpc::ClientContext context;
  v1::GetEventsRequest request;
  request.set_connector_id(connector_id);
  v1::GetEventsResponse response;
  const grpc::Status status = stub_->GetEvents(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
  return response;
}

std::string Fixture::State() {
  auto streams = Get(v1::PAYLOAD_KIND_STREAM);
  for (auto& payload : *streams.mutable_payloads()) payload.mutable_stream()->clear_subscribed();
  return OneLine(streams) + OneLine(Get(v1::PAYLOAD_KIND_CONFIG));
}

void Fixture::Connect(bool connected) {
  plant_.Do([&] {
    plant_.connected = connected;
    if (plant_.watcher) plant_.watcher(connected);
  });
}

v1::SetPayloadRequest Fixture::FromJson(const std::string& json) {
  v1::SetPayloadRequest request;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &request);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString() << " in " << json;
  return request;
}

std::vector<std::string> Violations(const v1::ResponseStatus& status) {
  std::vector<std::string> lines;
  for (const auto& detail : status.details()) {
    google::rpc::BadRequest bad_request;
    EXPECT_TRUE(detail.UnpackTo(&bad_request)) << detail.type_url();
    for (const auto& one : bad_request.field_violations()) lines.push_back(one.field() + ": " + one.description());
  }
  return lines;
}

std::string OneLine(const google::protobuf::Message& message) { return message.ShortDebugString(); }

}  // namespace kps::test
