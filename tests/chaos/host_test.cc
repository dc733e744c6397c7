// The host dies, and is stopped, under load.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/chaos/chaos_host.h"
#include "tests/chaos/subscriber.h"
#include "tests/chaos/table.h"
#include "tests/support/eventually.h"

namespace kps::chaos {
namespace {

class HostFault : public testing::TestWithParam<Delivery> {
 protected:
  std::unique_ptr<ChaosHost> Start(const std::string& plugin) {
    return std::make_unique<ChaosHost>(broker_, plugin, GetParam(), folder_.Path("state"));
  }
  void Report(const std::string& fault, int times, const Subscriber& subscriber) {
    const auto counts = subscriber.Look();
    AddRow({.fault = GetParam().name + ": " + fault,
            .times = static_cast<std::uint64_t>(times),
            .sent = counts.end,
            .delivered = counts.distinct,
            .duplicates = counts.duplicates(),
            .lost = counts.missing()});
    EXPECT_EQ(counts.missing(), 0u) << "lost";
    EXPECT_EQ(counts.disordered, 0u);
    if (GetParam().keeps) {
      EXPECT_EQ(counts.duplicates(), 0u) << "a message has an id, by which it is kept once";
    }
  }

  test::NatsServer broker_{GetParam().server_config};
  test::TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Over, HostFault, testing::Values(CoreNats(), JetStream()),
                         [](const auto& info) { return info.param.name; });

TEST_P(HostFault, KilledUnderLoadLosesNothing) {
  const int kills = Times(10, 1000);
  constexpr std::uint64_t kBetween = 6000;  // messages, at 20,000 a second
  Subscriber subscriber(broker_.url(), "chaos", GetParam().keeps, Subscriber::Generated);
  auto host = Start("generator");
  host->Set(folder_, {test::StreamJson("in", "INGRESS", "chaos", R"({"ratePerSecond":20000})")});
  std::uint64_t doubled_most = 0;
  for (int i = 0; i < kills; ++i) {
    const auto before = subscriber.Look();
    ASSERT_TRUE(subscriber.Reaches(before.end + kBetween)) << host->process().process().err();
    host->Kill();
    host = Start("generator");  // its streams go on by themselves
    ASSERT_TRUE(subscriber.Reaches(subscriber.Look().end + 1));
    doubled_most = std::max(doubled_most, subscriber.Look().duplicates() - before.duplicates());
  }
  // What the last stop would have lost would be a gap before these.
  EXPECT_EQ(host->Stop(), 0);
  host = Start("generator");
  ASSERT_TRUE(subscriber.Reaches(subscriber.Look().end + kBetween));
  EXPECT_EQ(host->Stop(), 0);
  EXPECT_LE(doubled_most, kInFlightMax) << "of one kill";
  Report("kill -9 of the host under 20,000 msg/s", kills, subscriber);
}

TEST_P(HostFault, StoppedAndStartedLosesAndDoublesNothing) {
  const int stops = Times(10, 200);
  constexpr int kLines = 5000;
  int written = 0;
  const auto append = [&] {
    std::ofstream file(folder_.Path("from"), std::ios::app);
    for (int i = 0; i < kLines; ++i) file << written++ << '\n';
  };
  Subscriber subscriber(broker_.url(), "chaos", GetParam().keeps, Subscriber::Line);
  auto host = Start("file");
  host->Set(folder_, {test::StreamJson("in", "INGRESS", "chaos",
                                       R"({"path":")" + folder_.Path("from") + R"(","from":"start"})")});
  for (int i = 0; i < stops; ++i) {
    append();
    ASSERT_TRUE(subscriber.Reaches(static_cast<std::uint64_t>(written - kLines / 2))) << "in the middle of the lines";
    EXPECT_EQ(host->Stop(), 0);
    host = Start("file");
  }
  EXPECT_TRUE(subscriber.Reaches(static_cast<std::uint64_t>(written)));
  EXPECT_TRUE(host->IsSettled());
  EXPECT_EQ(host->Stop(), 0);
  EXPECT_EQ(subscriber.Look().duplicates(), 0u);
  Report("SIGTERM of the host, and restart", stops, subscriber);
}

}  // namespace
}  // namespace kps::chaos
