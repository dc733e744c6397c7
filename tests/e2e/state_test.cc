// A host with a state directory: it is killed, and goes on by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "host/core/envelope.h"
#include "host/transport/nats_transport.h"
#include "tests/e2e/host_process.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

class QuietLogger : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
};

// Counts the lines "0", "1", "2", ... of a channel; each has to come for the first time in its turn.
class LineCounter {
 public:
  explicit LineCounter(const std::string& url)
      : transport_(std::move(MakeNatsTransport({url, "counter"}, &logger_).value())) {
    EXPECT_TRUE(Eventually([&] { return transport_->Connected(); }));
    subscription_ = std::move(transport_->Subscribe("lines", "s").value());
    // What is confirmed after it has reached the server, too.
    const auto publisher = std::move(transport_->OpenPublisher("other").value());
    EXPECT_TRUE(publisher->AwaitConfirmed(publisher->Publish("x").value(), kDeadline).ok());
  }
  bool ReachesUntil(int count) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (next_ < count && gaps_ == 0 && std::chrono::steady_clock::now() < end) Take(milliseconds(100));
    return next_ >= count;
  }
  void TakeAll() {
    while (Take(milliseconds(200))) {
    }
  }
  int gaps() const { return gaps_; }
  int duplicates() const { return duplicates_; }

 private:
  bool Take(milliseconds timeout) {
    const auto delivery = subscription_->Receive(timeout);
    if (!delivery.ok()) return false;
    std::vector<MessageView> messages;
    EXPECT_TRUE(DecodeEnvelope(delivery.value().envelope, &messages).ok());
    for (const MessageView& message : messages) {
      const int line = std::stoi(std::string(message.payload));
      if (line > next_) ++gaps_;
      if (line < next_) ++duplicates_;
      next_ = std::max(next_, line + 1);
    }
    return true;
  }

  QuietLogger logger_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Subscription> subscription_;
  int next_ = 0;
  int gaps_ = 0;
  int duplicates_ = 0;
};

class StateTest : public testing::Test {
 protected:
  std::unique_ptr<HostProcess> StartHost() {
    auto host = std::make_unique<HostProcess>(std::vector<std::string>{"--plugin", "file", "--transport", broker_.url(),
                                                                       "--state-dir", folder_.Path("state")});
    EXPECT_TRUE(host->WaitUntilListening()) << host->process().err();
    return host;
  }
  std::string SetIngress(HostProcess* host) {
    return host->Client(
        {"streams", "set",
         folder_.Write("in.json", StreamJson("in", "INGRESS", "lines",
                                             R"({"path":")" + folder_.Path("from") + R"(","from":"start"})"))});
  }
  void Append(int count) {
    std::ofstream file(folder_.Path("from"), std::ios::app);
    for (int i = 0; i < count; ++i) file << written_++ << '\n';
  }

  NatsServer broker_;
  TempFolder folder_;
  int written_ = 0;
};

TEST_F(StateTest, AfterAKillTheStreamsGoOnByThemselvesAndNothingIsLost) {
  constexpr int kKills = 10;
  constexpr int kLines = 20'000;
  LineCounter counter(broker_.url());
  Append(kLines);
  auto host = StartHost();
  SetIngress(host.get());
  for (int i = 0; i < kKills; ++i) {
    ASSERT_TRUE(counter.ReachesUntil(written_ - kLines / 2)) << "in the middle of the lines";
    host->process().Signal(SIGKILL);
    EXPECT_EQ(host->process().Wait(), -1);
    Append(kLines);
    host = StartHost();
  }
  EXPECT_TRUE(counter.ReachesUntil(written_));
  EXPECT_EQ(counter.gaps(), 0);
  EXPECT_TRUE(host->WaitForRunning(1));
  EXPECT_EQ(host->Stop(), 0);
  std::printf("%d lines, %d kills: 0 lost, %d duplicates\n", written_, kKills, counter.duplicates());
}

TEST_F(StateTest, AStopAndARestartLoseNothingAndDoubleNothing) {
  LineCounter counter(broker_.url());
  auto host = StartHost();
  SetIngress(host.get());
  for (int i = 0; i < 10; ++i) {
    Append(5000);
    ASSERT_TRUE(counter.ReachesUntil(written_ - 2500));
    EXPECT_EQ(host->Stop(), 0);
    host = StartHost();
  }
  EXPECT_TRUE(counter.ReachesUntil(written_));
  EXPECT_EQ(host->Stop(), 0);
  counter.TakeAll();
  EXPECT_EQ(counter.gaps(), 0);
  EXPECT_EQ(counter.duplicates(), 0);
}

TEST_F(StateTest, ADirectoryThatAnotherHostUsesIsRefused) {
  auto host = StartHost();
  HostProcess second({"--plugin", "file", "--state-dir", folder_.Path("state")});
  EXPECT_EQ(second.process().Wait(), 1);
  EXPECT_THAT(second.process().err(), testing::HasSubstr("--state-dir"));
}

}  // namespace
}  // namespace kps::test
