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

TEST(Template, CountsWhatItIsGiven) {
  Plugin plugin("template");
  Producer producer(plugin, "{}");
  EXPECT_EQ(producer.produce({"a", "bcd"}), 2u);
  EXPECT_EQ(plugin.counters["received_total"], 2u);
  EXPECT_EQ(plugin.counters["received_bytes_total"], 4u);
}

}  // namespace
}  // namespace kps::testing
