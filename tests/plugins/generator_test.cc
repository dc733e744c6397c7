#include "harness.h"

namespace kps::testing {
namespace {

TEST(Generator, MakesTheCountAndStops) {
  Plugin plugin("generator");
  Consumer consumer(plugin, R"({"count": 5, "sizeBytes": 32})");
  const auto all = consumer.collect(5);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[3].size(), 32u);
  EXPECT_EQ(all[3][0], 3);
  EXPECT_EQ(consumer.position, "5");
  EXPECT_TRUE(consumer.next(0).empty());
}

TEST(Generator, ResumesAtItsPosition) {
  Plugin plugin("generator");
  Consumer consumer(plugin, R"({"count": 5})", "4");
  const auto all = consumer.collect(1);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0][0], 4);
  EXPECT_EQ(consumer.ids, std::vector<std::string>{"4"});
}

TEST(Generator, KeepsToTheRate) {
  Plugin plugin("generator");
  const auto begin = std::chrono::steady_clock::now();
  Consumer consumer(plugin, R"({"ratePerSecond": 100})");
  EXPECT_GE(consumer.collect(21).size(), 21u);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(199));
}

TEST(Generator, EgressFindsGapsDuplicatesAndDisorder) {
  Plugin plugin("generator");
  Consumer consumer(plugin, R"({"count": 6, "sizeBytes": 20})");
  const auto m = consumer.collect(6);
  ASSERT_EQ(m.size(), 6u);
  Producer producer(plugin, "{}");
  std::string corrupt = m[5];
  corrupt[18] ^= 1;
  EXPECT_EQ(producer.produce({m[0], m[1], m[4], m[2], m[2], corrupt, "short"}), 7u);
  producer.flush();
  EXPECT_EQ(plugin.counters["received_total"], 5u);
  EXPECT_EQ(plugin.counters["gaps_total"], 2u);
  EXPECT_EQ(plugin.counters["out_of_order_total"], 1u);
  EXPECT_EQ(plugin.counters["duplicates_total"], 1u);
  EXPECT_EQ(plugin.counters["corrupt_total"], 2u);
  EXPECT_EQ(plugin.statuses["generatorReport"].first, KPS_STATE_UNHEALTHY);
  EXPECT_NE(plugin.statuses["generatorReport"].second.find("\"missing\":1"), std::string::npos);
}

TEST(Generator, RefusesASizeWithoutRoomForTheHeader) {
  Plugin plugin("generator");
  const Error error = error_of([&] { Consumer(plugin, R"({"sizeBytes": 15})"); });
  EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find("sizeBytes"), std::string::npos);
}

}  // namespace
}  // namespace kps::testing
