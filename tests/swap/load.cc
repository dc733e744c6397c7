#include "tests/swap/load.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>

#include "host/core/envelope.h"
#include "host/transport/make_transport.h"
#include "tests/support/eventually.h"

namespace kps::swap_test {

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "kps-swap-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a folder");
}

void LogLines::Log(LogLevel, std::string_view stream_id, std::string_view text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lines_.append(stream_id).append(": ").append(text).append("\n");
}

bool LogLines::Has(std::string_view text) const { return All().find(text) != std::string::npos; }

std::string LogLines::All() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return lines_;
}

void Builds::Content(const std::string& content) {
  const std::string temporary = folder_ / ("." + plugin_ + ".so.new");
  std::ofstream(temporary, std::ios::binary) << content;
  std::filesystem::rename(temporary, file_);
}

namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Behind the end of an ELF file nobody looks.
std::string GoodContent(const std::string& plugin, std::uint64_t number) {
  return Read(std::string(KPS_PLUGINS) + "/" + plugin + ".so") + "build " + std::to_string(number);
}

}  // namespace

void Builds::Good() { Content(GoodContent(plugin_, ++good_)); }

void Builds::Spoiled(const std::string& how) {
  bad_ = how;
  Content(Read(std::string(KPS_SPOILED_PLUGINS) + "/" + plugin_ + "/" + how + ".so") + std::to_string(++good_));
}

void Builds::Bad() {
  constexpr const char* kSpoils[] = {"no_symbol",      "newer_abi",       "other_name",      "stricter_schema",
                                     "throws_at_load", "connector_fails", "connector_hangs", "connector_crashes",
                                     "instances_fail", "instances_hang",  "first_read_fails"};
  const std::size_t number = bad_number_++ % (std::size(kSpoils) + 2);
  if (number < std::size(kSpoils)) return Spoiled(kSpoils[number]);
  const std::string whole = GoodContent(plugin_, ++good_);
  if (number == std::size(kSpoils)) {
    bad_ = "truncated";
    return Content(whole.substr(0, whole.size() / 2));
  }
  bad_ = "no ELF file";
  Content("not a library " + std::to_string(good_));
}

Host::Host(const Builds& builds, Options options) {
  auto reloader = Reloader::Open({.file = builds.file(),
                                  .static_json = options.static_json,
                                  .program = KPS_PREFLIGHT,
                                  .timeout = options.timeout,
                                  .watch = options.watch,
                                  .debounce = options.debounce,
                                  .no_unload = options.no_unload,
                                  .copies_below = options.copies_below},
                                 &log_, &clock_);
  if (!reloader.ok()) throw std::runtime_error(reloader.error().ToString());
  reloader_ = std::move(reloader.value());
  transport_ = std::move(MakeTransport(options.url, "swap-test", &log_).value());
  auto runtime =
      Runtime::Create({.static_json = options.static_json}, {reloader_->TakeFirst(), transport_.get(), &log_, &clock_});
  if (!runtime.ok()) throw std::runtime_error(runtime.error().ToString());
  runtime_ = std::move(runtime.value());
  reloader_->Start(runtime_.get());
  if (!test::Eventually([this] { return transport_->Connected(); })) throw std::runtime_error("not connected");
}

Host::~Host() { Stop(); }

void Host::Stop() {
  reloader_->BeginStop();
  runtime_->Shutdown();
  reloader_->Stop();
}

void Host::Set(std::vector<StreamSpec> streams, JsonMembers config) {
  SetPayloadCommand command{"", {}};
  for (StreamSpec& stream : streams) command.payloads.emplace_back(std::move(stream));
  if (!config.empty()) command.payloads.emplace_back(ConfigPatch{std::move(config)});
  const auto outcome = runtime_->SetPayload(command);
  if (!outcome.error.ok()) throw std::runtime_error(outcome.error.ToString());
  const bool running = test::Eventually([this] {
    for (const StreamView& view : runtime_->Streams()) {
      if (!view.subscribed) return false;
    }
    return true;
  });
  if (!running) throw std::runtime_error("not all streams run: " + log_.All());
}

bool Host::Has(const KnownEvent& type) const {
  for (const Event& event : runtime_->Events()) {
    if (event.id == type.id && event.kind == type.kind) return true;
  }
  return false;
}

bool Host::Healthy(const std::string& stream) const {
  for (const Event& event : runtime_->Events()) {
    if (event.id == kStreamHealthy.id && event.stream_id == stream) return true;
  }
  return false;
}

std::uint64_t Host::Counter(const std::string& stream, const std::string& name) const {
  const auto counters = runtime_->metrics().Counters();
  const auto found = counters.find({stream, name});
  return found == counters.end() ? 0 : found->second;
}

Receiver::Receiver(Transport* transport, const std::string& channel, NumberOf number_of)
    : subscription_(std::move(transport->Subscribe(channel, "receiver").value())) {
  thread_ = std::jthread([this, number_of](const std::stop_token& stop) {
    std::vector<MessageView> messages;
    auto last = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      auto delivery = subscription_->Receive(std::chrono::milliseconds(20));
      if (!delivery.ok()) continue;
      const auto now = std::chrono::steady_clock::now();
      EXPECT_TRUE(DecodeEnvelope(delivery.value().envelope, &messages).ok());
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const MessageView& message : messages) {
        const std::uint64_t number = number_of(message.payload);
        if (number != counts_.end) ++counts_.disordered;
        counts_.end = std::max(counts_.end, number + 1);
        ++counts_.received;
      }
      counts_.longest_gap = std::max<std::chrono::nanoseconds>(counts_.longest_gap, now - std::exchange(last, now));
    }
  });
}

Receiver::~Receiver() {
  thread_.request_stop();
  thread_.join();
  EXPECT_EQ(subscription_->Dropped(), 0u);
}

Receiver::Counts Receiver::Look() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

void Receiver::ForgetGap() {
  const std::lock_guard<std::mutex> lock(mutex_);
  counts_.longest_gap = {};
}

}  // namespace kps::swap_test
