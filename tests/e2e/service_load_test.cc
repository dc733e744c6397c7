// Each connector of a data service under 2,000 messages a second: its server goes away and comes back, its plugin is
// swapped. One host reads them, carries them over a nats-server, and writes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <set>
#include <thread>

#include "tests/e2e/data_service.h"
#include "tests/e2e/plugin_file.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPerSecond = 2000;
constexpr std::size_t kPiece = 100;  // messages that a sender sends at once
constexpr std::chrono::seconds kArrival{60};
constexpr std::size_t kSwaps = 10;

// Sends numbers, at its pace, until it is told to stop.
class Load {
 public:
  explicit Load(DataService* service) {
    for (std::size_t i = 0; i < service->SendersMin(); ++i) {
      threads_.emplace_back([this, service](const std::stop_token& stop) { Run(service, stop); });
    }
  }

  std::size_t sent() const { return sent_; }
  bool WaitUntil(std::size_t count) const {
    return Eventually([&] { return sent_ >= count || failed_; }, kArrival) && !failed_;
  }
  // All of them, once the service has them.
  std::vector<std::string> Stop() {
    for (std::jthread& thread : threads_) thread.request_stop();
    for (std::jthread& thread : threads_) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < next_; ++i) all.push_back(std::to_string(i));
    return all;
  }

 private:
  void Run(DataService* service, const std::stop_token& stop) {
    try {
      while (!stop.stop_requested()) {
        const std::size_t first = next_.fetch_add(kPiece);
        std::this_thread::sleep_until(begin_ + milliseconds(1000) * first / kPerSecond);
        std::vector<std::string> piece;
        for (std::size_t i = 0; i < kPiece; ++i) piece.push_back(std::to_string(first + i));
        service->Send(piece);
        sent_ += kPiece;
      }
    } catch (...) {
      if (!failed_.exchange(true)) failure_ = std::current_exception();
    }
  }

  const steady_clock::time_point begin_ = steady_clock::now();
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> sent_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

// Each payload where it came first.
std::vector<std::string> Distinct(const std::vector<std::string>& payloads) {
  std::set<std::string> seen;
  std::vector<std::string> distinct;
  std::copy_if(payloads.begin(), payloads.end(), std::back_inserter(distinct),
               [&](const std::string& payload) { return seen.insert(payload).second; });
  return distinct;
}

class ServiceLoadTest : public testing::TestWithParam<ServiceKind> {
 protected:
  void SetUp() override {
    const std::string payloads =
        folder_.Write("streams.json", PayloadsJson({StreamJson("in", "INGRESS", "c", service_->IngressMetadata()),
                                                    StreamJson("out", "EGRESS", "c", service_->EgressMetadata())}));
    ASSERT_TRUE(host_.WaitUntilListening());
    host_.Client({"streams", "set", payloads});
    ASSERT_TRUE(host_.WaitForRunning(2));
    ASSERT_TRUE(host_.WaitForEvents("streamHealthy"));
    load_ = std::make_unique<Load>(service_.get());
    ASSERT_TRUE(load_->WaitUntil(kPerSecond / 2));
  }

  // All that was sent comes, in order; returns how many came twice.
  std::size_t Doubles() {
    const std::vector<std::string> sent = load_->Stop();
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begin_).count();
    std::vector<std::string> received;
    std::vector<std::string> distinct;
    for (std::size_t before = 1; distinct.size() < sent.size() && before != received.size();) {
      before = received.size();
      received = service_->Received(before + sent.size() - distinct.size(), kArrival);
      distinct = Distinct(received);
    }
    const std::size_t doubles = received.size() - distinct.size();
    std::printf("%s: %.0f messages/s for %.1f s, lost %zu, twice %zu\n", GetParam().name,
                static_cast<double>(sent.size()) / seconds, seconds, sent.size() - distinct.size(), doubles);
    EXPECT_EQ(distinct.size(), sent.size());
    if (service_->SendersMin() == 1) {
      EXPECT_TRUE(distinct == sent) << "not in order";
    }
    EXPECT_EQ(host_.Stop(), 0);
    return doubles;
  }

  const NatsServer broker_{JetStreamConfig()};
  const std::unique_ptr<DataService> service_ = GetParam().make();
  const TempFolder folder_;
  const PluginFile plugin_{folder_, service_->plugin()};
  HostProcess host_{{"--plugin", plugin_.path(), "--transport", broker_.url(), "--delivery", "at-least-once",
                     "--jetstream-storage", "memory"}};
  const steady_clock::time_point begin_ = steady_clock::now();
  std::unique_ptr<Load> load_;
};

TEST_P(ServiceLoadTest, ServerThatRestartsLosesNothing) {
  for (int restarts = 0; restarts < 2; ++restarts) {
    service_->Stop();
    EXPECT_TRUE(host_.WaitForEvents("streamUnhealthy"));
    service_->Start();
    EXPECT_TRUE(host_.WaitForClient(
        {"events"}, [](const std::string& events) { return events.find("streamUnhealthy") == std::string::npos; }));
    EXPECT_TRUE(load_->WaitUntil(load_->sent() + kPerSecond));
  }
  // What was not acknowledged comes again, on the way in and on the way out.
  (void)Doubles();
}

TEST_P(ServiceLoadTest, SwapsOfThePluginLoseNothing) {
  for (std::size_t swap = 0; swap < kSwaps; ++swap) {
    plugin_.Replace("build " + std::to_string(swap));
    const std::string said = host_.Client({"plugin", "reload"});
    EXPECT_NE(said.find("2 streams moved"), std::string::npos) << said;
    EXPECT_TRUE(load_->WaitUntil(load_->sent() + kPerSecond / 10));
  }
  EXPECT_LE(Doubles(), kSwaps * service_->DoublesOfASwapMax());
}

INSTANTIATE_TEST_SUITE_P(Each, ServiceLoadTest, testing::ValuesIn(kServiceKinds),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace kps::test
