// What is too large, and what is full.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/chaos/chaos_host.h"
#include "tests/chaos/subscriber.h"
#include "tests/chaos/table.h"
#include "tests/support/eventually.h"

namespace kps::chaos {
namespace {

using test::Eventually;

class Limit : public testing::TestWithParam<Delivery> {
 protected:
  test::TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Over, Limit, testing::Values(CoreNats(), JetStream()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Limit, AMessageAboveMaxPayloadIsToldAndTheOthersGoOn) {
  constexpr std::uint64_t kLines = 20'000;
  constexpr std::uint64_t kTooLargeEvery = 10;
  test::NatsServer broker(GetParam().server_config + "\nmax_payload: 1024");
  {
    std::ofstream file(folder_.Path("from"));
    for (std::uint64_t i = 0; i < kLines; ++i) {
      file << i << (i % kTooLargeEvery == 1 ? ' ' + std::string(2000, 'x') : "") << '\n';
    }
  }
  Subscriber subscriber(broker.url(), "chaos", GetParam().keeps, Subscriber::Line);
  ChaosHost host(broker, "file", GetParam(), folder_.Path("state"));
  host.Set(folder_, {test::StreamJson("in", "INGRESS", "chaos",
                                      R"({"path":")" + folder_.Path("from") + R"(","from":"start"})")});
  ASSERT_TRUE(Eventually([&] {
    host.process().process().ReadAvailable();  // a line of the log for each: a full pipe would stop the host
    return subscriber.Look().end >= kLines;
  })) << host.process().Client({"events"});
  EXPECT_TRUE(host.process().WaitForEvents("messageUndeliverable"));
  EXPECT_TRUE(host.IsSettled());
  const auto counts = subscriber.Look();
  const auto dropped = static_cast<std::uint64_t>(host.Metric("kps_stream_dropped_total", "too_large") +
                                                  host.Metric("kps_stream_dead_lettered_total"));
  const std::uint64_t lost = counts.missing() - dropped;
  AddRow({.fault = GetParam().name + ": payloads above max_payload",
          .times = dropped,
          .sent = kLines,
          .delivered = counts.distinct,
          .duplicates = counts.duplicates(),
          .lost = lost,
          .dead_lettered = dropped});
  EXPECT_EQ(dropped, kLines / kTooLargeEvery);
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(counts.duplicates(), 0u);
  EXPECT_EQ(host.Stop(), 0);
}

TEST(JetStreamLimit, AFullStreamIsToldAndNothingIsLost) {
  const int times = Times(3, 100);
  const std::uint64_t sent = static_cast<std::uint64_t>(times) * 10'000;
  Delivery small = JetStream();
  small.arguments.insert(small.arguments.end(), {"--jetstream-max-bytes", "500000"});  // some 3,000 messages
  test::TempFolder folder;
  test::NatsServer broker(small.server_config);
  Subscriber subscriber(broker.url(), "chaos", true, Subscriber::Generated);
  ChaosHost host(broker, "generator", small, folder.Path("state"));
  host.Set(folder, {test::StreamJson("in", "INGRESS", "chaos",
                                     R"({"ratePerSecond":20000,"count":)" + std::to_string(sent) + "}")});
  for (int i = 0; i < times; ++i) {
    ASSERT_TRUE(host.process().WaitForEvents("streamUnhealthy"));
    EXPECT_TRUE(Eventually([&] { return host.Metric("kps_stream_window_use") > 0; })) << "messages wait";
    const auto delivered = static_cast<std::uint64_t>(host.Metric("kps_stream_delivered_total"));
    ASSERT_TRUE(subscriber.Reaches(delivered));
    subscriber.PurgeReceived("kps-chaos");
    ASSERT_TRUE(subscriber.Reaches(delivered + 1000));
  }
  // What follows a refused message may be kept before it: nothing is missing once everything is there.
  EXPECT_TRUE(GoesOnUntil(sent, [&] {
    subscriber.PurgeReceived("kps-chaos");
    return subscriber.Look().distinct;
  }));
  EXPECT_TRUE(host.IsSettled());
  const auto counts = subscriber.Look();
  AddRow({.fault = "JetStream: stream full",
          .times = static_cast<std::uint64_t>(times),
          .sent = sent,
          .delivered = counts.distinct,
          .duplicates = counts.duplicates(),
          .lost = sent - counts.distinct});
  EXPECT_EQ(counts.duplicates(), 0u);
  EXPECT_EQ(host.Stop(), 0);
}

// A file system of 64 KiB at `path`, seen by this process and its children alone, and gone with them. Or why not.
std::string MountSmall(const std::string& path) {
  if (unshare(CLONE_NEWNS) != 0) return std::string("no mount namespace of its own: ") + std::strerror(errno);
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", path.c_str(), "tmpfs", 0, "size=64k") != 0) {
    return std::string("cannot mount: ") + std::strerror(errno);
  }
  return "";
}

struct Mounted {
  std::string path;
  ~Mounted() { umount2(path.c_str(), MNT_DETACH); }  // or its folder cannot be removed
};

void Fill(const std::string& path) {
  std::ofstream file(path);
  while (file << std::string(1024, 'x') << std::flush) {
  }
}

TEST_P(Limit, AFullStateDiskIsToldAndNothingIsLost) {
  const std::string disk = folder_.Path("disk");
  std::filesystem::create_directory(disk);
  if (const std::string why = MountSmall(disk); !why.empty()) GTEST_SKIP() << why;
  const Mounted mounted{disk};
  test::NatsServer broker(GetParam().server_config);
  Subscriber subscriber(broker.url(), "chaos", GetParam().keeps, Subscriber::Generated);
  auto host = std::make_unique<ChaosHost>(broker, "generator", GetParam(), disk + "/state");
  host->Set(folder_, {test::StreamJson("in", "INGRESS", "chaos", R"({"ratePerSecond":20000})")});
  const int times = Times(2, 20);
  for (int i = 0; i < times; ++i) {
    ASSERT_TRUE(subscriber.Reaches(subscriber.Look().end + 5000));
    Fill(disk + "/filler");
    EXPECT_TRUE(host->process().WaitForEvents("stateNotSaved"));
    ASSERT_TRUE(subscriber.Reaches(subscriber.Look().end + 5000)) << "messages go on meanwhile";
    if (i % 2 == 0) host->Kill();  // what was confirmed since then comes again
    std::filesystem::remove(disk + "/filler");
    if (i % 2 == 0) {
      host = std::make_unique<ChaosHost>(broker, "generator", GetParam(), disk + "/state");
    } else {
      EXPECT_TRUE(host->process().WaitForClient(
          {"events"}, [](const std::string& out) { return out.find("stateNotSaved") == std::string::npos; }));
    }
  }
  EXPECT_EQ(host->Stop(), 0);
  host = std::make_unique<ChaosHost>(broker, "generator", GetParam(), disk + "/state");
  ASSERT_TRUE(subscriber.Reaches(subscriber.Look().end + 5000));
  EXPECT_EQ(host->Stop(), 0);
  const auto counts = subscriber.Look();
  AddRow({.fault = GetParam().name + ": state disk full (and killed, every other time)",
          .times = static_cast<std::uint64_t>(times),
          .sent = counts.end,
          .delivered = counts.distinct,
          .duplicates = counts.duplicates(),
          .lost = counts.missing()});
  EXPECT_EQ(counts.missing(), 0u) << "lost";
  if (GetParam().keeps) {
    EXPECT_EQ(counts.duplicates(), 0u) << "a message has an id, by which it is kept once";
  }
}

}  // namespace
}  // namespace kps::chaos
