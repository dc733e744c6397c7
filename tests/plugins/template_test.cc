#include "harness.h"

namespace kps::testing {
namespace {

TEST(Template, GreetsAndResumes) {
  Plugin plugin("template");
  EXPECT_EQ(plugin.table->discover, nullptr);
  Consumer consumer(plugin, R"({"text": "hi", "intervalMs": 1})");
  EXPECT_EQ(consumer.collect(2), (std::vector<std::string>{"hi 1", "hi 2"}));
  EXPECT_EQ(Consumer(plugin, R"({"text": "hi"})", consumer.position).collect(1), std::vector<std::string>{"hi 3"});
}

TEST(Template, RefusesAnUnknownKey) {
  Plugin plugin("template");
  const Error error = error_of([&] { Consumer(plugin, R"({"txt": "hi"})"); });
  EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find("\"txt\""), std::string::npos);
}

TEST(Template, RefusesAPositionThatIsNoneOfIts) {
  Plugin plugin("template");
  EXPECT_EQ(error_of([&] { Consumer(plugin, "{}", "x"); }).code, KPS_DATA_LOSS);
}

TEST(Template, ReturnsWhenItIsWoken) {
  Plugin plugin("template");
  Consumer consumer(plugin, R"({"intervalMs": 3600000})");
  ASSERT_EQ(consumer.next(0), std::vector<std::string>{"hello 1"}) << "the first one is due at once";
  consumer.wake();
  EXPECT_TRUE(consumer.next(3'600'000).empty());
}

TEST(Template, CountsWhatItIsGiven) {
  Plugin plugin("template");
  Producer producer(plugin, "{}");
  EXPECT_EQ(producer.produce({"a", "bcd"}), 2u);
  EXPECT_EQ(plugin.counters["received_total"], 2u);
  EXPECT_EQ(plugin.counters["received_bytes_total"], 4u);
}

}  // namespace
}  // namespace kps::testing
