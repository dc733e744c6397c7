// The nats-server dies, hangs and stays away. The host receives what it publishes, over the same connection: core NATS
// keeps nothing for a subscriber that comes back later than the publisher.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/chaos/chaos_host.h"
#include "tests/chaos/table.h"
#include "tests/support/eventually.h"

namespace kps::chaos {
namespace {

using std::chrono::seconds;
using test::Eventually;

class BrokerFault : public testing::TestWithParam<Delivery> {
 protected:
  void Start() { host_ = std::make_unique<ChaosHost>(broker_, "generator", GetParam(), folder_.Path("state")); }
  // Messages a second, on average: what a fault holds up follows faster. nats-server (2.9) keeps and gives about 20,000
  // a second of its files, and after some kills gives all that it has kept once more: in a long run, that has to end.
  int Rate() const { return GetParam().keeps ? Times(20'000, 2'000) : 20'000; }
  void SetStreams(const std::string& source) {
    host_->Set(folder_,
               {test::StreamJson("out", "EGRESS", "chaos"), test::StreamJson("in", "INGRESS", "chaos", source)});
  }
  void SetStreams() { SetStreams("{\"ratePerSecond\":" + std::to_string(Rate()) + "}"); }
  double Received() { return host_->Metric("kps_plugin_received_total"); }
  testing::AssertionResult ReceivesMore() {
    const double before = Received();
    const double enough = before + Rate() / 2;
    // A server with millions of messages takes long after a kill.
    if (Eventually([&] { return Received() >= enough; }, seconds(Times(20, 180)))) return testing::AssertionSuccess();
    return testing::AssertionFailure() << Received() << " after " << before << ", oldest in flight for "
                                       << host_->Metric("kps_stream_oldest_in_flight_seconds") << " s\n"
                                       << host_->process().Client({"events"}) << host_->process().process().err();
  }
  // The fault is this long: nothing is waited for.
  static void Last(seconds duration) { std::this_thread::sleep_for(duration); }
  std::uint64_t Count(const std::string& name) {
    return static_cast<std::uint64_t>(host_->Metric("kps_plugin_" + name));
  }

  // Ends the source, so that everything comes to rest.
  void Report(const std::string& fault, int times) {
    // It begins anew, makes number 0 once more, and ends: then it has made one more than is to arrive.
    SetStreams(R"({"count":1})");
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    const auto all_came = [&] {
      sent = static_cast<std::uint64_t>(host_->Metric("kps_stream_accepted_total", R"(stream="in")")) - 1;
      delivered = Count("next_sequence") - Count("missing");
      return delivered == sent;
    };
    while (!all_came()) {  // as long as something comes
      const std::uint64_t before = delivered;
      if (!Eventually([&] { return all_came() || delivered > before; })) break;
    }
    EXPECT_TRUE(Eventually([&] { return Count("duplicates_total") > 0; }));
    EXPECT_TRUE(host_->IsSettled());
    const std::uint64_t duplicates = Count("duplicates_total") - 1;
    AddRow({.fault = GetParam().name + ": " + fault,
            .times = static_cast<std::uint64_t>(times),
            .sent = sent,
            .delivered = delivered,
            .duplicates = duplicates,
            .lost = sent - delivered});
    EXPECT_EQ(delivered, sent) << "the others are lost";
    EXPECT_EQ(Count("corrupt_total"), 0u);
    EXPECT_LE(duplicates, static_cast<std::uint64_t>(times) * kInFlightMax);
    EXPECT_EQ(host_->Stop(), 0);
  }

  test::NatsServer broker_{GetParam().server_config};
  test::TempFolder folder_;
  std::unique_ptr<ChaosHost> host_;
};

INSTANTIATE_TEST_SUITE_P(Over, BrokerFault, testing::Values(CoreNats(), JetStream()),
                         [](const auto& info) { return info.param.name; });

TEST_P(BrokerFault, KilledAndRestartedLosesNothing) {
  const int kills = Times(5, 200);
  Start();
  SetStreams();
  for (int i = 0; i < kills; ++i) {
    ASSERT_TRUE(ReceivesMore());
    broker_.Stop();
    ASSERT_TRUE(Eventually([&] { return !host_->Ready(); }));
    Last(seconds(1 + i % Times(1, 5)));
    broker_.Start();
    ASSERT_TRUE(Eventually([&] { return host_->Ready(); }));
  }
  ASSERT_TRUE(ReceivesMore());
  Report("nats-server killed for 1 to 5 s, and restarted", kills);
}

TEST_P(BrokerFault, PausedLosesNothing) {
  const int pauses = Times(3, 200);
  Start();
  SetStreams();
  for (int i = 0; i < pauses; ++i) {
    ASSERT_TRUE(ReceivesMore());
    broker_.Pause();
    Last(seconds(1 + (3 * i) % Times(6, 10)));  // a server that hangs for 2 s counts as gone
    broker_.Resume();
  }
  ASSERT_TRUE(ReceivesMore());
  Report("nats-server paused for 1 to 10 s (SIGSTOP)", pauses);
}

TEST_P(BrokerFault, AwayForLongIsWaitedForAndNotCalledReady) {
  const int times = Times(2, 10);
  const seconds away(Times(4, 180));
  broker_.Stop();
  Start();
  SetStreams();
  for (int i = 0; i < times; ++i) {  // in turns: at the start, and later
    EXPECT_FALSE(host_->Ready());
    Last(away);
    EXPECT_FALSE(host_->Ready());
    broker_.Start();
    ASSERT_TRUE(Eventually([&] { return host_->Ready(); }));
    ASSERT_TRUE(ReceivesMore());
    if (i + 1 == times) break;
    broker_.Stop();
    ASSERT_TRUE(Eventually([&] { return !host_->Ready(); }));
  }
  Report("nats-server away at the start, and later", times);
}

}  // namespace
}  // namespace kps::chaos
