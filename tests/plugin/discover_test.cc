// Optional functions of a plugin: discover, whose entries the host takes only where they make sense, and configure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/plugin/load.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class NoServices : public HostServices {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
  void Raise(Event) override {}
  void CounterAdd(std::string_view, std::string_view, std::uint64_t) override {}
  void GaugeSet(std::string_view, std::string_view, double) override {}
};

class OptionalTest : public testing::Test {
 protected:
  void Load(const std::string& name) {
    auto plugin = LoadPlugin(std::string(KPS_BROKEN_PLUGINS "/") + name + ".so");
    ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
    plugin_ = std::move(plugin.value());
    connector_ = std::move(plugin_->CreateConnector("{}", "{}", &services_).value());
  }

  NoServices services_;
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(OptionalTest, DiscoverSkipsWhatMakesNoSense) {
  Load("discovers_nonsense");
  EXPECT_TRUE(plugin_->descriptor().discovers);
  const auto found = connector_->Discover(milliseconds(1000));
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(found.value().streams,
            (std::vector<StreamSpec>{{"a", Direction::kIngress, "", "{\"b\":\"\u00e4\",\"z\":1}"},
                                     {"b", Direction::kIngress, "", "{}"}}));
  EXPECT_EQ(found.value().skipped, 10u);
  EXPECT_THAT(found.value().skipped_reason, HasSubstr("is not a JSON object"));
}

TEST_F(OptionalTest, DiscoverIsBounded) {
  Load("discovers_nonsense");
  const auto found = connector_->Discover(milliseconds(7));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().streams.size(), Discovered::kStreamsMax);
  EXPECT_EQ(found.value().skipped, 10 + 20'002 - Discovered::kStreamsMax);
}

TEST_F(OptionalTest, DiscoverFailsWithItsReason) {
  Load("discovers_nonsense");
  const auto found = connector_->Discover(milliseconds(8));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().ToString(), "UNAVAILABLE: the broker is away");
}

TEST_F(OptionalTest, APluginWithoutThem) {
  Load("good");
  EXPECT_FALSE(plugin_->descriptor().discovers);
  EXPECT_EQ(connector_->Discover(milliseconds(1000)).error().code(), Code::kUnimplemented);
  EXPECT_EQ(connector_->Configure("{}").value(), ConfigureOutcome::kRecreate) << "everything is made anew";
}

}  // namespace
}  // namespace kps
