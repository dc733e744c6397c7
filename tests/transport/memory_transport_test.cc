// What only the memory transport does: a full queue holds its publishers back.
#include "host/transport/memory_transport.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;

TEST(MemoryTransportTest, AFullQueueRefusesAndHandsTheEnvelopeToNobody) {
  auto transport = MakeMemoryTransport({.queue_envelopes_max = 2, .publish_wait = milliseconds(5)});
  auto quick = Must(transport->Subscribe("a", "s"));
  auto slow = Must(transport->Subscribe("a", "s"));
  auto late = Must(transport->Subscribe("*", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  EXPECT_EQ(Must(publisher->Publish("1")), 1u);
  EXPECT_EQ(Must(publisher->Publish("2")), 2u);
  for (Subscription* each : {quick.get(), late.get()}) {
    EXPECT_EQ(MustReceive(each), "1");
    EXPECT_EQ(MustReceive(each), "2");
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(publisher->Publish("3").error().code(), Code::kResourceExhausted);
  EXPECT_EQ(publisher->Confirmed(), 2u);
  EXPECT_FALSE(quick->Receive(milliseconds(0)).ok());
  EXPECT_FALSE(late->Receive(milliseconds(0)).ok());

  EXPECT_EQ(MustReceive(slow.get()), "1");
  EXPECT_EQ(Must(publisher->Publish("3")), 3u);
  EXPECT_EQ(MustReceive(quick.get()), "3");
  EXPECT_EQ(MustReceive(late.get()), "3");
  EXPECT_EQ(MustReceive(slow.get()), "2");
  EXPECT_EQ(MustReceive(slow.get()), "3");
}

TEST(MemoryTransportTest, BytesFillAQueueTooAndAnEmptyOneTakesAnySize) {
  auto transport = MakeMemoryTransport({.queue_bytes_max = 100, .publish_wait = milliseconds(5)});
  auto subscription = Must(transport->Subscribe("a", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  Must(publisher->Publish(std::string(1000, 'x')));
  EXPECT_EQ(publisher->Publish("y").error().code(), Code::kResourceExhausted);
  EXPECT_EQ(MustReceive(subscription.get()).size(), 1000u);
  Must(publisher->Publish(std::string(60, 'x')));
  Must(publisher->Publish(std::string(40, 'x')));
  EXPECT_EQ(publisher->Publish("y").error().code(), Code::kResourceExhausted);
}

TEST(MemoryTransportTest, APublisherThatWaitsGoesOnWhenThereIsRoom) {
  auto transport = MakeMemoryTransport({.queue_envelopes_max = 1, .publish_wait = kDeadline});
  auto subscription = Must(transport->Subscribe("a", "s"));
  std::thread receiver([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(MustReceive(subscription.get()), std::to_string(i));
  });
  auto publisher = Must(transport->OpenPublisher("a"));
  for (int i = 0; i < 1000; ++i) Must(publisher->Publish(std::to_string(i)));
  receiver.join();
}

TEST(MemoryTransportTest, APublisherThatWaitsGoesOnWhenTheSlowSubscriberLeaves) {
  auto transport = MakeMemoryTransport({.queue_envelopes_max = 1, .publish_wait = kDeadline});
  auto slow = Must(transport->Subscribe("a", "s"));
  auto publisher = Must(transport->OpenPublisher("a"));
  Must(publisher->Publish("1"));
  std::thread leaver([&] { slow.reset(); });
  EXPECT_TRUE(publisher->Publish("2").ok());
  leaver.join();
}

}  // namespace
}  // namespace kps::test
