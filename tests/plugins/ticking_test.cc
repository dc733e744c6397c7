// The templates that tick: the same plugin in each language that has no C++ layer.
#include <gmock/gmock.h>

#include "harness.h"

namespace kps::testing {
namespace {

class TickingTest : public ::testing::TestWithParam<const char*> {
 protected:
  Plugin plugin{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Languages, TickingTest, ::testing::Values(KPS_TICKING_PLUGINS), [](const auto& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
});

TEST_P(TickingTest, TicksAndResumes) {
  Consumer consumer(plugin, R"({"intervalMs": 100})");
  EXPECT_EQ(consumer.next(0), std::vector<std::string>{"tick 1"}) << "the first one is due at once";
  EXPECT_EQ(consumer.collect(1), std::vector<std::string>{"tick 2"});
  EXPECT_EQ(Consumer(plugin, "{}", consumer.position).collect(1), std::vector<std::string>{"tick 3"});
}

TEST_P(TickingTest, ReturnsWhenItIsWoken) {
  Consumer consumer(plugin, R"({"intervalMs": 3600000})");
  ASSERT_EQ(consumer.next(0).size(), 1u);
  consumer.wake();
  EXPECT_TRUE(consumer.next(3'600'000).empty());
}

TEST_P(TickingTest, RefusesAPositionThatIsNoneOfIts) {
  for (const char* position : {"x", "1x", "-1", " 1", "123456789012345678901234567890"}) {
    EXPECT_EQ(error_of([&] { Consumer(plugin, "{}", position); }).code, KPS_DATA_LOSS) << position;
  }
}

TEST_P(TickingTest, RefusesMetadataThatItsSchemaWould) {
  for (const char* metadata :
       {R"({"interval": 1})", R"({"intervalMs": 0})", R"({"intervalMs": 3600001})", R"({"intervalMs": "1"})",
        R"({"intervalMs": 1, "x": 2})", R"({"intervalMs": nan})", "x"}) {
    const Error error = error_of([&] { Consumer(plugin, metadata); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << metadata;
    EXPECT_THAT(error.what(), ::testing::HasSubstr("intervalMs")) << metadata;
  }
}

TEST_P(TickingTest, TakesAnyNumberTheSchemaAllows) {
  for (const char* metadata : {"", "{}", " { } ", R"({"intervalMs":1})", R"( { "intervalMs" : 3600000.0 } )"}) {
    EXPECT_EQ(Consumer(plugin, metadata).next(0).size(), 1u) << metadata;
  }
}

TEST_P(TickingTest, CountsWhatItIsGiven) {
  Producer producer(plugin, "{}");
  EXPECT_EQ(producer.produce({"a", "bcd"}), 2u);
  EXPECT_EQ(plugin.counters["received_total"], 2u);
  EXPECT_EQ(plugin.counters["received_bytes_total"], 4u);
}

}  // namespace
}  // namespace kps::testing
