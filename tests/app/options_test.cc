#include "host/app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace kps::test {
namespace {

HostOptions Parsed(const std::vector<std::string>& arguments) {
  auto parsed = ParseOptions(arguments, "/opt/bin/kps-connector-host");
  if (!parsed.ok()) throw std::runtime_error(parsed.error().message());
  return parsed.value().options;
}

TEST(OptionsTest, CoreDeliveryIsTheDefaultAndKnowsNoJetStream) {
  EXPECT_FALSE(Parsed({}).jetstream);
  EXPECT_FALSE(Parsed({"--delivery", "core", "--jetstream-max-bytes", "5"}).jetstream);
}

TEST(OptionsTest, AtLeastOnceIsJetStreamAsTheOptionsSay) {
  const auto plain = Parsed({"--delivery", "at-least-once", "--connectorInstanceID", "c"}).jetstream;
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->connector_id, "c");
  EXPECT_TRUE(plain->create_streams);
  EXPECT_FALSE(plain->memory_storage);
  EXPECT_EQ(plain->age_max, JetStreamOptions().age_max);
  EXPECT_EQ(plain->duplicate_window, JetStreamOptions().duplicate_window);
  EXPECT_EQ(plain->ack_wait, JetStreamOptions().ack_wait);

  const auto all = Parsed({"--delivery=at-least-once", "--jetstream-create=no", "--jetstream-prefix=p",
                           "--jetstream-storage=memory", "--jetstream-replicas=3", "--jetstream-max-bytes=5000000000",
                           "--jetstream-max-age=60", "--jetstream-duplicate-window=7", "--jetstream-ack-wait=8"})
                       .jetstream;
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->create_streams);
  EXPECT_EQ(all->stream_prefix, "p");
  EXPECT_TRUE(all->memory_storage);
  EXPECT_EQ(all->replicas, 3);
  EXPECT_EQ(all->bytes_max, 5'000'000'000);
  EXPECT_EQ(all->age_max, std::chrono::seconds(60));
  EXPECT_EQ(all->duplicate_window, std::chrono::seconds(7));
  EXPECT_EQ(all->ack_wait, std::chrono::seconds(8));
}

TEST(OptionsTest, TheEnvironmentChoosesTheDeliveryToo) {
  ::setenv("KPS_DELIVERY", "at-least-once", 1);
  EXPECT_TRUE(Parsed({}).jetstream);
  EXPECT_FALSE(Parsed({"--delivery", "core"}).jetstream);
  ::unsetenv("KPS_DELIVERY");
}

TEST(OptionsTest, PluginsAreLookedForBesideTheProgramUnlessAPathIsGiven) {
  EXPECT_THAT(Parsed({}).plugin_path,
              testing::ElementsAre("/opt/plugins", "/opt/lib/kps-connector/plugins", "/connectors/plugins"));
  EXPECT_THAT(Parsed({"--plugin-path", "/a:b"}).plugin_path, testing::ElementsAre("/a", "b"));
}

TEST(OptionsTest, AnotherDeliveryIsRefused) {
  const auto parsed = ParseOptions({"--delivery", "exactly-once"}, "/opt/bin/kps-connector-host");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(parsed.error().message(), testing::HasSubstr("--delivery"));
}

}  // namespace
}  // namespace kps::test
