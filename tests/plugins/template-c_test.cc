#include "harness.h"

namespace kps::testing {
namespace {

TEST(TemplateC, TicksAndResumes) {
  Plugin plugin("template-c");
  Consumer consumer(plugin, "{}");
  EXPECT_EQ(consumer.next(0), std::vector<std::string>{"tick 1"}) << "the first one is due at once";
  EXPECT_EQ(consumer.collect(1), std::vector<std::string>{"tick 2"});
  EXPECT_EQ(Consumer(plugin, "{}", consumer.position).collect(1), std::vector<std::string>{"tick 3"});
}

TEST(TemplateC, ReturnsWhenItIsWoken) {
  Plugin plugin("template-c");
  // The next tick is due after a second, which a busy machine may let pass before it is asked.
  bool woken = false;
  for (int i = 0; i < 10 && !woken; ++i) {
    Consumer consumer(plugin, "{}");
    ASSERT_EQ(consumer.next(0).size(), 1u);
    consumer.wake();
    woken = consumer.next(60'000).empty();
  }
  EXPECT_TRUE(woken);
}

TEST(TemplateC, RefusesAPositionThatIsNoneOfIts) {
  Plugin plugin("template-c");
  for (const char* position : {"x", "1x", "123456789012345678901234567890"}) {
    EXPECT_EQ(error_of([&] { Consumer(plugin, "{}", position); }).code, KPS_DATA_LOSS) << position;
  }
}

TEST(TemplateC, CountsWhatItIsGiven) {
  Plugin plugin("template-c");
  Producer producer(plugin, "{}");
  EXPECT_EQ(producer.produce({"a", "bcd"}), 2u);
  EXPECT_EQ(plugin.counters["received_total"], 2u);
  EXPECT_EQ(plugin.counters["received_bytes_total"], 4u);
}

}  // namespace
}  // namespace kps::testing
