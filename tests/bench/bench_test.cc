// A run in which something goes wrong is an error that says what, and no figure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <stdexcept>

#include "tests/bench/bare.h"
#include "tests/bench/child.h"
#include "tests/bench/host_sides.h"
#include "tests/bench/table.h"
#include "tests/bench/two_sides.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"

namespace kps::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class FunctionSide : public Side {
 public:
  explicit FunctionSide(std::function<void()> run) : run_(std::move(run)) {}
  void Run() override { run_(); }

 private:
  const std::function<void()> run_;
};

MakeSide MakeOf(std::function<void(const Load&, Progress*)> run) {
  return [run](const Load& load, Progress* progress) {
    return std::make_unique<FunctionSide>([run, load, progress] { run(load, progress); });
  };
}

const MakeSide kWaits = MakeOf([](const Load& load, Progress* progress) {
  progress->Begin();
  progress->AwaitAll(load);
});

MakeSide Delivers(std::uint64_t count) {
  return MakeOf([count](const Load& load, Progress* progress) {
    progress->Arrived(count, load.messages);
    progress->AwaitAll(load);
  });
}

std::string WhatIsWrong(const Load& load, const MakeSide& sender, const MakeSide& receiver) {
  try {
    Carry(load, sender, receiver, Measured::kSender);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

const Load kLoad{.messages = 10, .payload_bytes = 64, .stalled_after = milliseconds(50)};

TEST(TwoSidesTest, TheRunEndsWhenAllHasArrived) {
  const Cost cost = Carry(kLoad, kWaits, Delivers(10), Measured::kSender);
  EXPECT_GE(cost.cpu_seconds, 0);
  EXPECT_LT(cost.cpu_seconds, 5);
}

TEST(TwoSidesTest, CpuIsThatOfTheMeasuredSide) {
  const auto burn = MakeOf([](const Load&, Progress* progress) {
    progress->Begin();
    const auto end = std::chrono::steady_clock::now() + milliseconds(100);
    while (std::chrono::steady_clock::now() < end) {
    }
  });
  const Cost burning = Carry(kLoad, burn, Delivers(10), Measured::kSender);
  const Cost waiting = Carry(kLoad, burn, Delivers(10), Measured::kReceiver);
  EXPECT_GT(burning.cpu_seconds, 2 * waiting.cpu_seconds);
}

TEST(TwoSidesTest, LostMessagesAreAnError) {
  EXPECT_THAT(WhatIsWrong(kLoad, kWaits, Delivers(9)), HasSubstr("9 of 10 messages arrived"));
}

TEST(TwoSidesTest, MoreMessagesThanWereSentAreAnError) {
  EXPECT_THAT(WhatIsWrong(kLoad, kWaits, Delivers(11)), HasSubstr("11 of 10 messages arrived"));
}

TEST(TwoSidesTest, ASideThatThrowsIsNamed) {
  const auto throws = MakeOf([](const Load&, Progress*) { throw std::runtime_error("no more"); });
  EXPECT_THAT(WhatIsWrong(kLoad, throws, Delivers(10)), HasSubstr("the sender: no more"));
  EXPECT_THAT(WhatIsWrong(kLoad, kWaits, throws), HasSubstr("the receiver: no more"));
}

TEST(TwoSidesTest, ASideThatIsNotReadyIsNamed) {
  const MakeSide unable = [](const Load&, Progress*) -> std::unique_ptr<Side> { throw std::runtime_error("unable"); };
  const auto also_wrong = MakeOf([](const Load&, Progress*) { throw std::runtime_error("ran"); });
  EXPECT_EQ(WhatIsWrong(kLoad, unable, also_wrong), "the sender: unable");
}

TEST(TwoSidesTest, ASideThatCrashesIsNamed) {
  const auto dies = MakeOf([](const Load&, Progress*) { ::raise(SIGKILL); });
  EXPECT_THAT(WhatIsWrong(kLoad, dies, Delivers(9)), HasSubstr("the sender: died of signal 9"));
}

TEST(BareTest, MessagesThatAreNotTheNextOnesAreAnError) {
  const test::NatsServer server;
  const Load load{.url = server.url(), .messages = 1000, .payload_bytes = 64, .stalled_after = milliseconds(20'000)};
  // Two senders at once: the receiver sees every number twice.
  class Twice : public Side {
   public:
    Twice(const Load& load, Progress* progress)
        : first_(MakeBareSender({.url = load.url, .messages = 1, .payload_bytes = load.payload_bytes}, progress)),
          second_(MakeBareSender(load, progress)) {}
    void Run() override {
      first_->Run();
      second_->Run();
    }

   private:
    std::unique_ptr<Side> first_;
    std::unique_ptr<Side> second_;
  };
  const MakeSide twice = [](const Load& l, Progress* progress) { return std::make_unique<Twice>(l, progress); };
  EXPECT_THAT(WhatIsWrong(load, twice, MakeBareSyncReceiver), HasSubstr("came one that was not the next"));
  EXPECT_THAT(WhatIsWrong(load, twice, MakeBareAsyncReceiver), HasSubstr("came one that was not the next"));
  EXPECT_THAT(WhatIsWrong(load, twice, MakeEgress), HasSubstr("the receiver: "));
}

TEST(BareTest, AServerThatIsNotThereIsAnError) {
  const Load load{
      .url = "nats://127.0.0.1:1", .messages = 10, .payload_bytes = 64, .stalled_after = milliseconds(1000)};
  EXPECT_THAT(WhatIsWrong(load, MakeBareSender, Delivers(10)), HasSubstr("the sender: connect: "));
}

TEST(BareTest, ASenderDoesNotRunAheadOfItsReceiver) {
  const test::NatsServer server;
  const Load load{
      .url = server.url(), .messages = 100'000, .payload_bytes = 16 * 1024, .stalled_after = milliseconds(200)};
  EXPECT_THAT(WhatIsWrong(load, MakeBareSender, MakeOf([](const Load&, Progress* progress) {
                            test::Eventually([&] { return progress->sides_failed > 0; });
                          })),
              HasSubstr("the sender: the receiver stopped after 0 messages"));
}

TEST(TableTest, MedianOfOddAndEvenNumbersOfRounds) {
  EXPECT_EQ(SpreadOf({3, 1, 2}).median, 2);
  EXPECT_EQ(SpreadOf({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(SpreadOf({3, 1, 2}).low, 1);
  EXPECT_EQ(SpreadOf({3, 1, 2}).high, 3);
}

TEST(TableTest, RatesAndRatiosAreThoseOfTheRounds) {
  const Series reference{"reference", {{1, 0.5}, {2, 0.5}, {4, 0.5}}};
  const Series slower{"slower", {{2, 1}, {4, 1}, {16, 3}}};
  EXPECT_EQ(MessagesPerSecond(slower, 8).median, 2);
  EXPECT_EQ(CpuSecondsPerMillion(slower, 1'000'000).median, 1);
  EXPECT_EQ(Ratio(slower, reference).median, 0.5);
  EXPECT_EQ(Ratio(slower, reference).low, 0.25);
}

TEST(TableTest, NumbersAreReadable) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1000), "1,000");
  EXPECT_EQ(WithCommas(1234567), "1,234,567");
}

}  // namespace
}  // namespace kps::bench
