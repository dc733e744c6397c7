#include <gtest/gtest.h>

#include <kps/plugin.hpp>
#include <thread>

namespace kps::plugin {
namespace {

using std::chrono::milliseconds;

struct Source : PushConsumer {
  explicit Source(size_t messages_max) : PushConsumer(messages_max) {}
  void on_ack(uint64_t token) override { acked.push_back(token); }
  std::vector<uint64_t> acked;
};

constexpr kps_limits kLimits{sizeof(kps_limits), 10, 1000};

TEST(PushConsumer, HoldsTheSourceBackAndAcksInOrder) {
  Source source(2);
  std::thread client([&] {
    for (uint64_t i = 1; i <= 100; ++i) ASSERT_TRUE(source.push("payload " + std::to_string(i), i));
  });
  Batch batch;
  size_t received = 0;
  for (uint64_t token = 1; received < 100; ++token) {
    batch.begin(kLimits, token);
    source.next(batch, milliseconds(10000));
    ASSERT_LE(batch.size(), 2u);
    ASSERT_FALSE(batch.empty());
    received += batch.size();
    source.ack(token);
  }
  client.join();
  ASSERT_EQ(source.acked.size(), 100u);
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(source.acked[i], i + 1);
}

TEST(PushConsumer, CloseFreesABlockedPush) {
  Source source(1);
  EXPECT_TRUE(source.push("a"));
  EXPECT_FALSE(source.try_push("b", 1));
  std::thread client([&] { EXPECT_FALSE(source.push("b")); });
  source.close();
  client.join();
}

TEST(PushConsumer, WakeEndsTheWaitAndAFailureComesAfterTheMessages) {
  Source source(2);
  Batch batch;
  batch.begin(kLimits, 1);
  source.wake();
  source.next(batch, milliseconds(60000));
  EXPECT_TRUE(batch.empty());
  source.push("a");
  source.fail(Failure(KPS_UNAVAILABLE, "gone"));
  source.next(batch, milliseconds(0));
  EXPECT_EQ(batch.size(), 1u);
  batch.begin(kLimits, 2);
  EXPECT_THROW(source.next(batch, milliseconds(0)), Failure);
  EXPECT_NO_THROW(source.next(batch, milliseconds(0)));
}

TEST(Guarded, StopsEveryException) {
  const auto code = [](auto body) {
    kps_error error{};
    return detail::guarded(&error, body);
  };
  EXPECT_EQ(code([] {}), KPS_OK);
  EXPECT_EQ(code([] { throw std::invalid_argument("x"); }), KPS_INVALID_ARGUMENT);
  EXPECT_EQ(code([] { throw std::bad_alloc(); }), KPS_RESOURCE_EXHAUSTED);
  EXPECT_EQ(code([] { throw std::runtime_error("x"); }), KPS_INTERNAL);
  EXPECT_EQ(code([] { throw 1; }), KPS_UNKNOWN);
}

}  // namespace
}  // namespace kps::plugin
