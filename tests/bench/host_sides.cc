#include "tests/bench/host_sides.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "host/core/json.h"
#include "host/core/runtime.h"
#include "host/plugin/load.h"
#include "host/transport/make_transport.h"
#include "tests/bench/ports.h"
#include "tests/bench/unconfirmed.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

using test::Eventually;

// The host's own.
std::unique_ptr<Transport> HostTransport(const Load& load, const std::optional<JetStreamOptions>& jetstream = {}) {
  static WarningsOnly logger;
  return Must(MakeTransport(load.url, "kps-bench", &logger, jetstream));
}

// A host with one stream.
class Host : public Side {
 public:
  Host(const Load& load, Progress* progress, std::unique_ptr<Transport> transport)
      : load_(load), progress_(progress), transport_(std::move(transport)) {
    plugin_ =
        CountProduced(Must(LoadPlugin(std::string(KPS_BENCH_PLUGINS) + "/generator.so")), [this](std::size_t count) {
          produced_ += count;
          progress_->Arrived(produced_, load_.messages);
        });
    runtime_ = Must(Runtime::Create({.window = {.envelope_messages_max = load.envelope_messages}},
                                    {plugin_, transport_.get(), &logger_, &clock_}));
    if (!Eventually([this] { return transport_->Connected(); }))
      throw std::runtime_error(transport_->DisconnectReason());
  }

 protected:
  void SetStream(Direction direction, const std::string& metadata_json) {
    const auto outcome = runtime_->SetPayload({"", {StreamSpec{"load", direction, kChannel, metadata_json}}});
    if (!outcome.error.ok()) throw std::runtime_error(outcome.error.ToString());
  }

  const Load load_;
  Progress* const progress_;
  std::uint64_t produced_ = 0;  // of the stream's thread
  WarningsOnly logger_;
  SystemClock clock_;
  std::shared_ptr<Plugin> plugin_;
  const std::unique_ptr<Transport> transport_;
  std::unique_ptr<Runtime> runtime_;
};

class Ingress : public Host {
 public:
  using Host::Host;
  void Run() override {
    progress_->Begin();
    SetStream(Direction::kIngress, "{\"count\":" + std::to_string(load_.messages) +
                                       ",\"sizeBytes\":" + std::to_string(load_.payload_bytes) +
                                       ",\"ratePerSecond\":" + std::to_string(load_.messages_per_second) + "}");
    progress_->AwaitAll(load_);
  }
};

class Egress : public Host {
 public:
  Egress(const Load& load, Progress* progress) : Host(load, progress, HostTransport(load)) {
    SetStream(Direction::kEgress, "{}");
    // A round trip after the subscription: the server knows it.
    const auto publisher = Must(transport_->OpenPublisher("bench.ready"));
    if (const Error error = publisher->AwaitConfirmed(Must(publisher->Publish("")), test::kDeadline); !error.ok()) {
      throw std::runtime_error(error.ToString());
    }
  }
  void Run() override {
    progress_->AwaitAll(load_);
    std::string report = "nothing";
    if (!Eventually([&] { return IsSound(&report); })) throw std::runtime_error("the generator reports " + report);
  }

 private:
  // The plugin's verdict on all that it received, which it gives when nothing more comes.
  bool IsSound(std::string* report) const {
    for (const Event& event : runtime_->Events()) {
      if (event.id != "generatorReport") continue;
      *report = event.message + " " + event.metadata_json;
      const auto counts = ParseJsonObject(event.metadata_json);
      return event.state == State::kHealthy && counts.ok() &&
             counts.value().at("received") == std::to_string(load_.messages);
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Side> MakeIngress(const Load& load, Progress* progress) {
  return std::make_unique<Ingress>(load, progress, HostTransport(load));
}
std::unique_ptr<Side> MakeUnconfirmedIngress(const Load& load, Progress* progress) {
  return std::make_unique<Ingress>(load, progress, MakeUnconfirmedTransport(load.url));
}
std::unique_ptr<Side> MakeJetStreamIngress(const Load& load, Progress* progress) {
  return std::make_unique<Ingress>(load, progress, HostTransport(load, JetStreamOptions{}));
}
std::unique_ptr<Side> MakeEgress(const Load& load, Progress* progress) {
  return std::make_unique<Egress>(load, progress);
}

}  // namespace kps::bench
