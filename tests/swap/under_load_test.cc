// Swaps one after the other while streams carry in both directions, every tenth of them of a build that is bad in one
// way or another. KPS_SWAPS: how many for each row; 100 in CI, 1,000 in a long run.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <set>

#include "host/plugin/load.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"
#include "tests/swap/load.h"
#include "tests/swap/measures.h"

namespace kps::swap_test {
namespace {

using std::chrono::milliseconds;
using test::Eventually;

int Swaps() {
  const char* const swaps = std::getenv("KPS_SWAPS");
  if (swaps != nullptr) return std::stoi(swaps);
  return kSanitized ? 40 : 100;  // what stays mapped is limited
}

double Ms(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

class UnderLoad : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "nats") server_ = std::make_unique<test::NatsServer>();
  }
  std::unique_ptr<Host> Start(const Builds& builds) {
    return std::make_unique<Host>(builds,
                                  Host::Options{.url = server_ ? server_->url() : "memory:",
                                                .timeout = kSanitized ? milliseconds(3000) : milliseconds(400)});
  }
  // Returns false where the rest makes no sense.
  void SwapMany(Builds* builds, Host* host) {
    Held warm;
    for (int i = 1; i <= Swaps(); ++i) {
      if (i == Swaps() / 5) warm = LookAtProcess();
      const bool good = i % 10 != 0;
      good ? builds->Good() : builds->Bad();
      const PluginStatus before = host->reloader().Status();
      const auto swapped = host->reloader().Reload();
      const PluginStatus after = host->reloader().Status();
      if (good) {
        ASSERT_TRUE(swapped.ok()) << i << ": " << swapped.error().ToString() << "\n" << host->log().All();
        EXPECT_EQ(after.generation, before.generation + 1);
        pauses_.push_back(after.last_swap->pause_max);
        lost_ += after.last_swap->dropped;
        EXPECT_FALSE(host->Has(kPluginSwapFailed));
      } else {
        ++bad_;
        ASSERT_FALSE(swapped.ok()) << builds->bad();
        EXPECT_EQ(after.generation, before.generation) << builds->bad();
        EXPECT_TRUE(host->Has(kPluginSwapFailed)) << builds->bad();
        reasons_.insert(builds->bad() + ": " +
                        swapped.error().message().substr(swapped.error().message().find("goes on: ") + 9));
      }
    }
    // Those that hang are to end first.
    const std::size_t resident_expected = kSanitized ? 0 : 1;
    EXPECT_TRUE(kSanitized ||
                Eventually([&] { return host->reloader().Status().resident == resident_before_ + resident_expected; }))
        << host->reloader().Status().resident;
    const Held now = LookAtProcess();
    growth_kb_ = static_cast<double>(now.anonymous_kb - warm.anonymous_kb) / (Swaps() - Swaps() / 5);
    if (kSanitized) return;
    EXPECT_LE(now.descriptors, warm.descriptors + 2);
    EXPECT_LE(now.threads, warm.threads + 2);
    EXPECT_LE(now.maps, warm.maps + 40);
    // Buffers of the host grow to what the load wants of them, which a few swaps do not average out.
    if (Swaps() >= 1000) {
      EXPECT_LE(growth_kb_, 8);
    }
    figures_ = "descriptors " + std::to_string(warm.descriptors) + " to " + std::to_string(now.descriptors) +
               ", threads " + std::to_string(warm.threads) + " to " + std::to_string(now.threads) + ", maps " +
               std::to_string(warm.maps) + " to " + std::to_string(now.maps);
  }
  void Report(const std::string& plugin, std::uint64_t sent, const Receiver::Counts& counts) {
    std::printf("%s over %s: %d swaps, %d of them bad; %llu messages, lost %llu, out of order or twice %llu\n",
                plugin.c_str(), GetParam().c_str(), Swaps(), bad_, static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(lost_), static_cast<unsigned long long>(counts.disordered));
    std::printf("  longest pause of a swap: %s; growth %.2f kB a swap; %s\n", Percentiles(pauses_).c_str(), growth_kb_,
                figures_.c_str());
    for (const std::string& reason : reasons_) std::printf("  %s\n", reason.c_str());
    std::fflush(stdout);
  }

  std::unique_ptr<test::NatsServer> server_;
  const std::size_t resident_before_ = ResidentLibraries();
  std::vector<std::chrono::nanoseconds> pauses_;
  std::set<std::string> reasons_;
  std::string figures_;
  double growth_kb_ = 0;
  std::uint64_t lost_ = 0;
  int bad_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, UnderLoad, testing::Values("memory", "nats"),
                         [](const auto& info) { return info.param; });

TEST_P(UnderLoad, TheGeneratorLosesDoublesAndDisordersNothing) {
  Builds builds("generator");
  const auto host = Start(builds);
  Receiver receiver(&host->transport(), "numbers", [](std::string_view payload) {
    std::uint64_t number = 0;
    std::memcpy(&number, payload.data(), sizeof number);
    return number;
  });
  const std::string rate = kSanitized ? R"({"ratePerSecond":2000})" : R"({"ratePerSecond":20000})";
  host->Set({{"check", Direction::kEgress, "numbers", "{}"}, {"make", Direction::kIngress, "numbers", rate}});
  // How long the channel is silent at most, without swaps and with them.
  ASSERT_TRUE(Eventually([&] { return receiver.Look().end > 1000; }));
  receiver.ForgetGap();
  const std::uint64_t quiet = receiver.Look().end;
  ASSERT_TRUE(Eventually([&] { return receiver.Look().end > quiet + 10'000; }));
  const double silence_ms = Ms(receiver.Look().longest_gap);
  receiver.ForgetGap();
  SwapMany(&builds, host.get());
  const auto during = receiver.Look();
  char silences[96];
  std::snprintf(silences, sizeof silences, "longest silence on the channel: %.2f ms, without swaps %.2f ms; ",
                Ms(during.longest_gap), silence_ms);
  figures_ = silences + figures_;
  EXPECT_TRUE(Eventually([&] { return receiver.Look().end > during.end + 1000; })) << "it still runs";
  host->Set({{"check", Direction::kEgress, "numbers", "{}"}});
  std::uint64_t end = 0;
  EXPECT_TRUE(Eventually([&] {
    const auto counts = receiver.Look();
    end = counts.end;
    return host->Counter("check", "received_total") == counts.received && counts.received == counts.end;
  }));
  EXPECT_EQ(receiver.Look().disordered, 0u);
  for (const char* wrong : {"gaps_total", "duplicates_total", "out_of_order_total", "corrupt_total"}) {
    EXPECT_EQ(host->Counter("check", wrong), 0u) << wrong;
  }
  Report("generator", end, receiver.Look());
}

TEST_P(UnderLoad, TheFileLosesDoublesAndDisordersNothing) {
  Builds builds("file");
  const auto host = Start(builds);
  const Folder folder;
  const std::string in = folder / "in";
  const std::string out = folder / "out";
  std::atomic<std::uint64_t> written{0};
  std::jthread writer([&](const std::stop_token& stop) {
    std::ofstream file(in);
    while (!stop.stop_requested()) {
      for (int i = 0; i < 10; ++i) file << "line " << written++ << '\n';
      file.flush();
      std::this_thread::sleep_for(milliseconds(kSanitized ? 10 : 1));  // the pace of the load
    }
  });
  host->Set({{"out", Direction::kEgress, "lines", R"({"path":")" + out + R"("})"},
             {"in", Direction::kIngress, "lines", R"({"path":")" + in + R"("})"}});
  SwapMany(&builds, host.get());
  writer.request_stop();
  writer.join();
  Receiver::Counts counts;
  EXPECT_TRUE(Eventually([&] {
    std::ifstream file(out);
    counts = {};
    for (std::string line; std::getline(file, line); ++counts.received) {
      if (line != "line " + std::to_string(counts.received)) ++counts.disordered;
    }
    return counts.received >= written;
  }));
  EXPECT_EQ(counts.received, written);
  EXPECT_EQ(counts.disordered, 0u);
  Report("file", written, counts);
}

}  // namespace
}  // namespace kps::swap_test
