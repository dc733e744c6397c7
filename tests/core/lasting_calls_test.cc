// A plugin that does not return from a call: nothing says that all is well.
#include <algorithm>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

class LastingCallsTest : public RuntimeTest {
 protected:
  std::ptrdiff_t Lines(const std::string& text) {
    return world_.Do([&] {
      return std::count_if(world_.log.begin(), world_.log.end(),
                           [&](const std::string& line) { return line.find(text) != std::string::npos; });
    });
  }
};

TEST_F(LastingCallsTest, AProducerThatHangsMakesItsStreamUnhealthyUntilItReturns) {
  runtime_.reset();
  runtime_ = std::move(Runtime::Create({.connector_id = "me", .told_beyond = std::chrono::milliseconds(0)},
                                       {NotOwned(&plugin_), &transport_, &logger_, &clock_})
                           .value());
  ASSERT_TRUE(Set({kIn, kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in") && Has(kStreamHealthy, "out"); }));
  runtime_->LogLastingCalls();
  EXPECT_EQ(Lines("does not return"), 0);
  world_.Do([&] { world_.producer_blocked = true; });
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kPluginCallLasts, "out"); }));
  const Event alert = Find(kPluginCallLasts, "out").value();
  EXPECT_NE(alert.metadata_json.find("produce of the plugin does not return"), std::string::npos);
  EXPECT_FALSE(Has(kStreamHealthy, "out"));
  ASSERT_TRUE(Has(kStreamUnhealthy, "out"));
  EXPECT_NE(Find(kStreamUnhealthy, "out")->metadata_json.find("produce of the plugin does not return"),
            std::string::npos);
  for (const StreamView& view : runtime_->Streams()) EXPECT_EQ(view.subscribed, view.stream.id == "in");
  EXPECT_TRUE(Has(kStreamHealthy, "in"));
  runtime_->LogLastingCalls();
  runtime_->LogLastingCalls();
  EXPECT_EQ(Lines("produce of the plugin does not return"), 1);
  EXPECT_EQ(Find(kPluginCallLasts, "out")->created_at_ns, alert.created_at_ns) << "it is the same alert";

  world_.Do([&] { world_.producer_blocked = false; });
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  EXPECT_FALSE(Has(kPluginCallLasts, "out"));
  EXPECT_FALSE(Has(kStreamUnhealthy, "out"));
  EXPECT_TRUE(Subscribed());
  runtime_->LogLastingCalls();
  EXPECT_EQ(Lines("the plugin has returned"), 1);
}

}  // namespace
}  // namespace kps::test
