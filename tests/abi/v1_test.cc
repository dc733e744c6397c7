// The plugin of v1/, built against the headers of v1, in the host of today: every function of the ABI, in both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "host/core/plugin.h"
#include "host/plugin/load.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

// Remembers what the plugin has told.
class Services : public HostServices {
 public:
  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override {
    EXPECT_EQ(level, LogLevel::kInfo);
    EXPECT_EQ(stream_id, "");
    log = text;
  }
  void Raise(Event event) override { events.push_back(std::move(event)); }
  void CounterAdd(std::string_view stream_id, std::string_view name, std::uint64_t increment) override {
    counters[std::string(stream_id) + "/" + std::string(name)] += increment;
  }
  void GaugeSet(std::string_view stream_id, std::string_view name, double value) override {
    gauges[std::string(stream_id) + "/" + std::string(name)] = value;
  }

  std::string log;
  std::vector<Event> events;
  std::map<std::string, std::uint64_t> counters;
  std::map<std::string, double> gauges;
};

class AbiV1Test : public testing::Test {
 protected:
  AbiV1Test() {
    auto plugin = LoadPlugin(KPS_ABI_V1_PLUGIN);
    if (!plugin.ok()) throw std::runtime_error(plugin.error().message());
    plugin_ = std::move(plugin.value());
    auto connector = plugin_->CreateConnector("{}", R"({"a":1})", &services_);
    if (!connector.ok()) throw std::runtime_error(connector.error().message());
    connector_ = std::move(connector.value());
  }

  std::unique_ptr<Waker> WakerOf(const std::string& stream_id) {
    auto waker = connector_->CreateWaker(stream_id);
    if (!waker.ok()) throw std::runtime_error(waker.error().message());
    return std::move(waker.value());
  }

  static StreamSpec Stream(Direction direction, const std::string& metadata_json = "{}") {
    StreamSpec stream;
    stream.id = "s";
    stream.direction = direction;
    stream.channel = "c";
    stream.metadata_json = metadata_json;
    return stream;
  }

  Services services_;
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(AbiV1Test, ItsDescriptorIsRead) {
  const PluginDescriptor& descriptor = plugin_->descriptor();
  EXPECT_EQ(descriptor.name, "abi-v1");
  EXPECT_EQ(descriptor.version, "1.2.3");
  EXPECT_EQ(descriptor.description, "Built when v1 was released.");
  EXPECT_TRUE(descriptor.ingress && descriptor.egress && descriptor.discovers);
  EXPECT_EQ(descriptor.static_schema, R"({"title": "static"})");
  EXPECT_EQ(descriptor.config_schema, R"({"title": "config"})");
  EXPECT_EQ(descriptor.stream_schema, R"({"title": "stream"})");
  EXPECT_TRUE(connector_->overlap_safe());
}

TEST_F(AbiV1Test, ItsConnectorTakesAndRefusesParameters) {
  EXPECT_EQ(services_.log, R"({"a":1})");
  const auto refused = plugin_->CreateConnector(R"({"refuse":true})", "{}", &services_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(refused.error().message(), HasSubstr("refused, as the parameters ask"));
}

TEST_F(AbiV1Test, ItIsConfigured) {
  EXPECT_EQ(connector_->Configure("{}").value(), ConfigureOutcome::kApplied);
  EXPECT_EQ(connector_->Configure(R"({"recreate":1})").value(), ConfigureOutcome::kRecreate);
  const auto refused = connector_->Configure(R"({"refuse":1})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("refused, as the config asks"));
}

TEST_F(AbiV1Test, ItDiscovers) {
  const auto found = connector_->Discover(milliseconds(1000));
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_EQ(found.value().streams.size(), 2u);
  EXPECT_EQ(found.value().skipped, 0u);
  EXPECT_EQ(found.value().streams[0].id, "one");
  EXPECT_EQ(found.value().streams[0].direction, Direction::kIngress);
  EXPECT_EQ(found.value().streams[1].id, "two");
  EXPECT_EQ(found.value().streams[1].direction, Direction::kEgress);
}

TEST_F(AbiV1Test, ItConsumes) {
  const auto waker = WakerOf("s");
  auto created = connector_->CreateConsumer(Stream(Direction::kIngress), "", waker.get());
  ASSERT_TRUE(created.ok()) << created.error().message();
  std::string position;
  {
    const auto consumer = std::move(created.value());
    const auto batch = consumer->NextBatch({.messages_max = 10, .bytes_max = 1000}, milliseconds(0));
    ASSERT_TRUE(batch.ok()) << batch.error().message();
    ASSERT_EQ(batch.value().messages.size(), 2u);
    EXPECT_EQ(batch.value().messages[0].payload, "m1");
    EXPECT_EQ(batch.value().messages[1].payload, "m2");
    EXPECT_EQ(batch.value().messages[1].id, "id2");
    EXPECT_EQ(batch.value().messages[1].timestamp_ns, 2);
    EXPECT_EQ(batch.value().token, 2u);
    position = batch.value().position;
    EXPECT_TRUE(consumer->Ack(2).ok());
    EXPECT_EQ(services_.counters["s/acked_token"], 2u);
    const auto none = consumer->NextBatch({.messages_max = 1, .bytes_max = 1}, milliseconds(0));
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().code(), Code::kOutOfRange);
    waker->Wake();
    EXPECT_EQ(services_.counters["s/woken_total"], 1u);
  }
  EXPECT_EQ(services_.counters["s/released_total"], 2u);

  const auto resumed_waker = WakerOf("s");
  auto resumed = connector_->CreateConsumer(Stream(Direction::kIngress), position, resumed_waker.get());
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  const auto next = resumed.value()->NextBatch({.messages_max = 2, .bytes_max = 1000}, milliseconds(0));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next.value().messages[0].payload, "m3");
}

TEST_F(AbiV1Test, ItUsesTheServicesOfTheHost) {
  const auto waker = WakerOf("s");
  const auto consumer = connector_->CreateConsumer(Stream(Direction::kIngress, R"({"a":1})"), "", waker.get());
  ASSERT_TRUE(consumer.ok()) << consumer.error().message();
  ASSERT_EQ(services_.events.size(), 2u);
  EXPECT_EQ(services_.events[0].id, "oldAlert");
  EXPECT_EQ(services_.events[0].message, "c");
  EXPECT_EQ(services_.events[1].id, "oldStatus");
  EXPECT_EQ(services_.events[1].message, "made");
  EXPECT_THAT(services_.gauges, UnorderedElementsAre(Pair("s/should_stop", 0.0)));
}

TEST_F(AbiV1Test, ItsErrorsAreUnderstood) {
  const auto waker = WakerOf("s");
  const auto later = connector_->CreateConsumer(Stream(Direction::kIngress, R"({"later":1})"), "", waker.get());
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code(), Code::kUnavailable);
  EXPECT_EQ(later.error().retry_after(), milliseconds(1234));
}

TEST_F(AbiV1Test, ItProduces) {
  const auto waker = WakerOf("s");
  auto created = connector_->CreateProducer(Stream(Direction::kEgress), waker.get());
  ASSERT_TRUE(created.ok()) << created.error().message();
  const auto producer = std::move(created.value());
  std::vector<MessageView> messages(3);
  messages[0].payload = "1234";
  messages[1].payload = "bad";
  messages[2].payload = "5";
  std::size_t taken = 0;
  const Error bad = producer->Produce(messages, milliseconds(0), &taken);
  EXPECT_EQ(bad.code(), Code::kInvalidArgument);
  EXPECT_EQ(taken, 1u);
  EXPECT_TRUE(producer->Produce(std::span(messages).subspan(2), milliseconds(0), &taken).ok());
  EXPECT_EQ(taken, 1u);
  EXPECT_EQ(services_.counters["s/bytes_total"], 5u);
  EXPECT_TRUE(producer->Flush(milliseconds(0)).ok());
  EXPECT_EQ(services_.counters["s/flushed_total"], 2u);
  waker->Wake();
  EXPECT_EQ(services_.counters["s/woken_total"], 1u);
}

}  // namespace
}  // namespace kps
