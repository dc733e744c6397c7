// The producer is slow and fails: what JetStream keeps comes until it is delivered, or is a dead letter.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/chaos/chaos_host.h"
#include "tests/chaos/moody.h"
#include "tests/chaos/subscriber.h"
#include "tests/chaos/table.h"
#include "tests/support/eventually.h"

namespace kps::chaos {
namespace {

using test::Eventually;

struct Delivered {
  std::uint64_t received = 0;
  std::uint64_t distinct = 0;
};

Delivered ReadNumbers(const std::string& path, std::uint64_t end) {
  Delivered delivered;
  std::vector<bool> seen(end);
  std::ifstream file(path);
  for (std::uint64_t number = 0; file >> number; ++delivered.received) {
    if (!seen.at(number)) ++delivered.distinct;
    seen[number] = true;
  }
  return delivered;
}

// The most memory that the process has ever had, in KiB.
std::uint64_t PeakMemoryKib(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

bool Delivers(ChaosHost* host, std::uint64_t messages) {
  return GoesOnUntil(messages, [&] {
    host->process().process().ReadAvailable();
    return static_cast<std::uint64_t>(host->Metric("kps_stream_delivered_total"));
  });
}

TEST(JetStreamProducer, SlowAndFailingLosesNothingWithinBoundedMemory) {
  const std::uint64_t sent = static_cast<std::uint64_t>(Times(20'000, 20'000'000));
  const std::uint64_t refused = sent / 1000;
  const Delivery delivery = JetStream();
  test::NatsServer broker(delivery.server_config);
  test::TempFolder folder;
  {
    ChaosHost source(broker, "generator", delivery, folder.Path("source"));
    source.Set(folder, {test::StreamJson("in", "INGRESS", "chaos", R"({"count":)" + std::to_string(sent) + "}")});
    ASSERT_TRUE(Delivers(&source, sent));
    EXPECT_EQ(source.Stop(), 0);
  }
  Subscriber dead(broker.url(), "chaos.dead", true, Subscriber::Generated);
  ChaosHost sink(broker, KPS_MOODY, delivery, folder.Path("sink"));
  sink.Set(folder, {test::StreamJson("out", "EGRESS", "chaos", R"({"path":")" + folder.Path("to") + "\"}")});
  ASSERT_TRUE(Delivers(&sink, sent - refused));  // a long run takes an hour
  EXPECT_TRUE(sink.IsSettled());
  EXPECT_TRUE(Eventually([&] { return dead.Look().distinct == refused; }));
  EXPECT_LT(PeakMemoryKib(sink.process().process().pid()), 512u * 1024) << "KiB";
  EXPECT_EQ(sink.Stop(), 0);
  const Delivered delivered = ReadNumbers(folder.Path("to"), sent);
  AddRow({.fault = "JetStream: a producer that is slow, fails, and refuses some",
          .times = sent,
          .sent = sent,
          .delivered = delivered.distinct,
          .duplicates = delivered.received - delivered.distinct,
          .lost = sent - delivered.distinct - refused,
          .dead_lettered = refused});
  EXPECT_EQ(delivered.distinct, sent - refused);
  EXPECT_EQ(delivered.received, delivered.distinct) << "it says what it has taken, so nothing comes twice";
}

}  // namespace
}  // namespace kps::chaos
