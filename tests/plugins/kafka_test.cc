// What goes through the Kafka plugin, both ways, in quiet times.
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "harness.h"
#include "kafka_server.h"

namespace kps::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;
using Texts = std::vector<std::string>;

class Kafka : public ::testing::Test {
 protected:
  std::string metadata(const std::string& more = "", const std::string& topic = "t") const {
    return R"({"brokers":")" + server.brokers() + R"(","topic":")" + topic + "\"" + more + "}";
  }

  KafkaServer server;
  Plugin plugin{"kafka"};
  const std::string one = R"(,"partitions":"0")";
  const std::string group = R"(,"group":"g","sessionTimeoutMs":5000)";  // the mock waits for so long between members
};

Texts AnyBytes() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  std::string large;
  while (large.size() < 256 << 10) large += all;
  return {all, "", std::string(1, '\0'), large, "last"};
}

Texts Numbers(int first, int last) {
  Texts numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

TEST_F(Kafka, AnyBytesComeInWithIdsThatStay) {
  server.create("t");
  server.send("t", 0, AnyBytes());
  Consumer consumer(plugin, metadata(one));
  EXPECT_EQ(consumer.collect(5), AnyBytes());
  EXPECT_EQ(consumer.ids, (Texts{"t/0/0", "t/0/1", "t/0/2", "t/0/3", "t/0/4"}));
  EXPECT_EQ(consumer.position, "v1 t 0:5");
}

TEST_F(Kafka, AnyBytesGoOut) {
  server.create("t");
  {
    Producer producer(plugin, metadata());
    EXPECT_EQ(producer.produce(AnyBytes()), 5u);
    producer.flush();
  }
  EXPECT_EQ(server.content("t", 0, 5), AnyBytes()) << "an empty message is no null";
}

TEST_F(Kafka, OrderIsKeptWithAKeyOnManyPartitions) {
  server.create("t", 4);
  Producer producer(plugin, metadata(R"(,"key":"k","compression":"gzip")"));
  ASSERT_EQ(producer.produce(Numbers(1, 1000)), 1000u);
  producer.flush();
  size_t total = 0;
  for (int32_t partition = 0; partition < 4; ++partition) {
    const Texts content = server.content("t", partition, 1000, total == 0 ? 3000 : 100);
    if (!content.empty()) {
      EXPECT_EQ(content, Numbers(1, 1000));
    }
    total += content.size();
  }
  EXPECT_EQ(total, 1000u);
}

TEST_F(Kafka, ResumesExactlyAfterThePosition) {
  server.create("t");
  server.send("t", 0, Numbers(1, 10));
  std::string position;
  {
    Consumer consumer(plugin, metadata(one));
    EXPECT_EQ(consumer.collect(4, 20000, 4), Numbers(1, 4));
    position = consumer.position;
  }
  EXPECT_EQ(Consumer(plugin, metadata(one), position).collect(6), Numbers(5, 10));
}

TEST_F(Kafka, BatchesKeepToTheLimits) {
  server.create("t");
  server.send("t", 0, {"aa", "bb", "cc"});
  Consumer consumer(plugin, metadata(one));
  Texts first;
  while (first.empty()) first = consumer.next(1000, 100, 4);
  EXPECT_LE(first.size(), 2u);
  Texts all = first;
  while (all.size() < 3) {
    const Texts more = consumer.next(1000, 1, 1);
    EXPECT_LE(more.size(), 1u);
    all.insert(all.end(), more.begin(), more.end());
  }
  EXPECT_EQ(all, (Texts{"aa", "bb", "cc"}));
}

TEST_F(Kafka, FromEndSkipsWhatIsThereAndLosesNothingOfASilentPartition) {
  server.create("t", 2);
  server.send("t", 0, {"old"});
  server.send("t", 1, {"old"});
  const std::string from_end = metadata(R"(,"partitions":"0-1","from":"end")");
  std::string position;
  {
    Consumer consumer(plugin, from_end);
    EXPECT_EQ(consumer.collect(1, 2500), Texts{}) << "until the starts are known";
    server.send("t", 0, {"new"});
    EXPECT_EQ(consumer.collect(1), Texts{"new"});
    position = consumer.position;
  }
  EXPECT_EQ(position, "v1 t 0:2,1:1");
  server.send("t", 1, {"while nobody read"});
  EXPECT_EQ(Consumer(plugin, from_end, position).collect(1), Texts{"while nobody read"});
}

TEST_F(Kafka, AGroupGetsWhatWasNotAcknowledgedAgainAndNothingElse) {
  server.create("t");
  server.send("t", 0, Numbers(1, 10));
  {
    Consumer consumer(plugin, metadata(group));
    EXPECT_EQ(consumer.collect(6, 20000, 6), Numbers(1, 6));
  }
  EXPECT_EQ(server.committed("g", "t", 0), 0) << "only where it began";
  {
    Consumer consumer(plugin, metadata(group));
    EXPECT_EQ(consumer.collect(6, 20000, 6), Numbers(1, 6));
    consumer.ack();
  }
  EXPECT_EQ(server.committed("g", "t", 0), 6);
  EXPECT_EQ(Consumer(plugin, metadata(group)).collect(4), Numbers(7, 10));
}

TEST_F(Kafka, APositionAheadOfTheGroupWins) {
  server.create("t");
  server.send("t", 0, Numbers(1, 10));
  // The group knows 2, the transport has 5.
  {
    Consumer consumer(plugin, metadata(group));
    EXPECT_EQ(consumer.collect(2, 20000, 2), Numbers(1, 2));
    consumer.ack();
  }
  ASSERT_EQ(server.committed("g", "t", 0), 2);
  {
    Consumer consumer(plugin, metadata(group), "v1 t 0:5");
    EXPECT_EQ(consumer.collect(5), Numbers(6, 10));
  }
  EXPECT_EQ(server.committed("g", "t", 0), 5) << "what is before the position is safe";
}

TEST_F(Kafka, APositionBehindTheGroupIsLeftBehind) {
  server.create("t");
  server.send("t", 0, Numbers(1, 10));
  {
    Consumer consumer(plugin, metadata(group));
    EXPECT_EQ(consumer.collect(7, 20000, 7), Numbers(1, 7));
    consumer.ack();
  }
  EXPECT_EQ(Consumer(plugin, metadata(group), "v1 t 0:5").collect(3), Numbers(8, 10));
}

TEST_F(Kafka, APositionHoldsWhereTheGroupHasNoOffset) {
  server.create("t");
  server.send("t", 0, Numbers(1, 10));
  const std::string from_end = metadata(group + R"(,"from":"end")");
  EXPECT_EQ(Consumer(plugin, from_end, "v1 t 0:5").collect(5), Numbers(6, 10));
}

TEST_F(Kafka, AGroupThatBeginsAtTheEndKeepsThatStart) {
  server.create("t");
  server.send("t", 0, {"old"});
  const std::string from_end = metadata(group + R"(,"from":"end")");
  {
    Consumer consumer(plugin, from_end);
    EXPECT_EQ(consumer.collect(1, 8000), Texts{}) << "until it is a member";
  }
  ASSERT_EQ(server.committed("g", "t", 0), 1);
  server.send("t", 0, {"while nobody read"});
  EXPECT_EQ(Consumer(plugin, from_end).collect(1), Texts{"while nobody read"});
}

TEST_F(Kafka, APositionOfAnotherTopicIsNotUsed) {
  server.create("t");
  server.send("t", 0, Numbers(1, 3));
  EXPECT_EQ(Consumer(plugin, metadata(one), "v1 other 0:2").collect(3), Numbers(1, 3));
}

TEST_F(Kafka, MessagesThatAreGoneRaiseAnAlert) {
  server.create("t");
  const std::string large(500'000, 'x');
  server.send("t", 0, Texts(40, large));  // the mock keeps about 5 MB
  Consumer consumer(plugin, metadata(one), "v1 t 0:1");
  const Texts rest = consumer.collect(1);
  ASSERT_FALSE(rest.empty());
  EXPECT_NE(consumer.ids[0], "t/0/1");
  EXPECT_THAT(plugin.alerts["messagesLost"].second, HasSubstr("partition 0 has no offset 1"));
}

TEST_F(Kafka, DiscoversTheTopicsOfItsBrokersWithoutInternalOnes) {
  EXPECT_EQ(plugin.discover(), Texts{});
  server.create("b");
  server.create("a");
  server.create("__consumer_offsets");
  Plugin finder("kafka", R"({"brokers":")" + server.brokers() + "\"}");
  const std::string begin = R"(,"direction":"INGRESS","metadata":{"brokers":")" + server.brokers() + R"(","topic":)";
  EXPECT_EQ(finder.discover(), (Texts{R"({"id":"a")" + begin + R"("a"}})", R"({"id":"b")" + begin + R"("b"}})"}));
}

TEST_F(Kafka, WakeEndsTheWait) {
  server.create("t");
  Consumer consumer(plugin, metadata(one));
  EXPECT_EQ(consumer.next(0), Texts{});
  std::thread waker([&] { consumer.wake(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(consumer.next(60000), Texts{});
  waker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(Kafka, ATimeoutIsKept) {
  server.create("t");
  Consumer consumer(plugin, metadata(one));
  EXPECT_EQ(consumer.next(0), Texts{});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(consumer.next(200), Texts{});
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(195));
}

}  // namespace
}  // namespace kps::testing
