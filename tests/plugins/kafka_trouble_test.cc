// The Kafka plugin where things go wrong: servers that are away, refusals, bad parameters, a change of instances.
#include <gmock/gmock.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "harness.h"
#include "kafka_server.h"
#include "tests/support/eventually.h"

namespace kps::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;
using Texts = std::vector<std::string>;

class KafkaTrouble : public ::testing::Test {
 protected:
  std::string metadata(const std::string& more = "", const std::string& topic = "t") const {
    return R"({"brokers":")" + server.brokers() + R"(","topic":")" + topic + "\"" + more + "}";
  }

  KafkaServer server;
  Plugin plugin{"kafka"};
  const std::string one = R"(,"partitions":"0")";
};

// The codes of what `act` fails with until it succeeds.
template <typename Act>
std::set<kps_code> FailuresUntilItSucceeds(Act act) {
  std::set<kps_code> codes;
  for (const auto deadline = steady_clock::now() + std::chrono::seconds(20); steady_clock::now() < deadline;) {
    try {
      act();
      return codes;
    } catch (const Error& error) {
      codes.insert(error.code);
    }
    std::this_thread::sleep_for(milliseconds(20));  // the host's back-off
  }
  ADD_FAILURE() << "never succeeded";
  return codes;
}

TEST_F(KafkaTrouble, AServerThatIsAwayAtTheStartIsFoundLater) {
  server.create("t");
  server.send("t", 0, {"a"});
  server.stop();
  const auto begin = steady_clock::now();
  Consumer consumer(plugin, metadata(one));
  // One that says nothing until a message comes would be taken for well.
  const Error unreached = error_of([&] { Producer(plugin, metadata()); });
  EXPECT_EQ(unreached.code, KPS_UNAVAILABLE);
  EXPECT_THAT(unreached.what(), HasSubstr("the cluster cannot be reached"));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(4500));
  const Error away = error_of([&] { consumer.next(0); });
  EXPECT_EQ(away.code, KPS_UNAVAILABLE);
  EXPECT_THAT(away.what(), HasSubstr("topic t at " + server.brokers()));
  server.start();
  Texts got;
  FailuresUntilItSucceeds([&] { got = consumer.collect(1); });
  EXPECT_EQ(got, Texts{"a"});
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"b"}), 1u);
  producer.flush();
  EXPECT_EQ(server.content("t", 0, 2), (Texts{"a", "b"}));
}

TEST_F(KafkaTrouble, AServerThatGoesAwayShowsAndComesBack) {
  server.create("t");
  server.send("t", 0, {"a"});
  Consumer consumer(plugin, metadata(one));
  EXPECT_EQ(consumer.collect(1), Texts{"a"});
  server.stop();
  kps_code code = KPS_OK;
  for (int i = 0; i < 100 && code == KPS_OK; ++i) {
    try {
      consumer.next(100);
    } catch (const Error& error) {
      code = error.code;
    }
  }
  EXPECT_EQ(code, KPS_UNAVAILABLE);
  server.start();
  FailuresUntilItSucceeds([&] { consumer.next(0); });
  server.send("t", 0, {"b"});
  EXPECT_EQ(consumer.collect(1), Texts{"b"});
}

TEST_F(KafkaTrouble, AFlushWaitsForTheServersAnswer) {
  server.create("t");
  Producer producer(plugin, metadata());
  ASSERT_EQ(producer.produce({"1"}), 1u);
  producer.flush();
  server.answer_after(milliseconds(5000));  // longer than a flush waits
  ASSERT_EQ(producer.produce({"2", "3"}), 2u);
  const Error error = error_of([&] { producer.flush(); });
  EXPECT_EQ(error.code, KPS_DEADLINE_EXCEEDED);
  EXPECT_THAT(error.what(), HasSubstr("2 messages are not confirmed yet"));
  server.answer_after(milliseconds(0));
  FailuresUntilItSucceeds([&] { producer.flush(); });
  EXPECT_EQ(server.content("t", 0, 3), (Texts{"1", "2", "3"}));
}

TEST_F(KafkaTrouble, NothingIsLostOverRestartsUnderLoad) {
  server.create("t");
  constexpr int kCount = 6000;
  int restarts = 0;
  bool down = false;
  Consumer consumer(plugin, metadata(one));
  Producer producer(plugin, metadata());
  std::set<std::string> ids;
  Texts got;
  const auto read = [&] {
    try {
      for (std::string& text : consumer.next(0)) got.push_back(std::move(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
      if (down) server.start();  // it was noticed
      down = false;
    }
  };
  const auto begin = steady_clock::now();
  for (int sent = 0; sent < kCount;) {
    std::this_thread::sleep_until(begin + milliseconds(sent / 2));  // 2,000 a second
    if (!down && restarts < 2 && sent >= kCount / 3 * (restarts + 1)) {
      server.stop();
      down = true;
      ++restarts;
    }
    Texts some;
    for (int i = sent; i < std::min(sent + 40, kCount); ++i) some.push_back(std::to_string(i));
    sent += static_cast<int>(producer.produce(some));
    if (producer.last != KPS_OK) {
      ASSERT_EQ(producer.last, KPS_UNAVAILABLE);
      std::this_thread::sleep_for(milliseconds(20));
    }
    read();
  }
  EXPECT_EQ(restarts, 2);
  EXPECT_TRUE(test::Eventually([&] { return read(), !down; }));
  FailuresUntilItSucceeds([&] { producer.flush(); });
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (got.size() < kCount && steady_clock::now() < deadline) read();
  ASSERT_EQ(got.size(), static_cast<size_t>(kCount));
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(got[static_cast<size_t>(i)], std::to_string(i));
}

TEST_F(KafkaTrouble, ASecondInstanceTakesOverAtThePosition) {
  server.create("t");
  Texts all;
  for (int i = 0; i < 1000; ++i) all.push_back(std::to_string(i));
  server.send("t", 0, all);
  Texts got;
  std::string position;
  {
    Consumer consumer(plugin, metadata(one));
    got = consumer.collect(500, 20000, 10);
    position = consumer.position;
  }
  Plugin second("kafka");
  Consumer consumer(second, metadata(one), position);
  const Texts rest = consumer.collect(all.size() - got.size());
  got.insert(got.end(), rest.begin(), rest.end());
  EXPECT_EQ(got, all);
}

TEST_F(KafkaTrouble, TwoMembersShareAGroupAndLoseNothing) {
  server.create("t", 2);
  const std::string group = metadata(R"(,"group":"g","sessionTimeoutMs":5000)");
  std::set<std::string> got;
  Consumer first(plugin, group);
  for (const std::string& text : first.collect(0)) got.insert(text);
  Consumer second(plugin, group);
  std::set<std::string> all;
  Texts zero, one_;
  for (int i = 0; i < 100; ++i) {
    zero.push_back("0/" + std::to_string(i));
    one_.push_back("1/" + std::to_string(i));
  }
  all.insert(zero.begin(), zero.end());
  all.insert(one_.begin(), one_.end());
  server.send("t", 0, zero);
  server.send("t", 1, one_);
  const auto deadline = steady_clock::now() + std::chrono::seconds(30);
  while (got.size() < 200 && steady_clock::now() < deadline) {
    for (Consumer* consumer : {&first, &second}) {
      for (const std::string& text : consumer->next(20, 7)) got.insert(text);
      if (consumer->token > 0) consumer->ack();
    }
  }
  EXPECT_EQ(got, all);
}

TEST_F(KafkaTrouble, NoSuchTopicAndNoRightNeedAPerson) {
  server.create("t");
  server.refuse("t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const Error unknown = error_of([&] { Consumer(plugin, metadata(one)).next(0); });
  EXPECT_EQ(unknown.code, KPS_NOT_FOUND);
  EXPECT_THAT(unknown.what(), HasSubstr("create it"));
  server.refuse("t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  EXPECT_EQ(error_of([&] { Consumer(plugin, metadata(one)).next(0); }).code, KPS_PERMISSION_DENIED);
  EXPECT_EQ(error_of([&] { Producer(plugin, metadata()); }).code, KPS_PERMISSION_DENIED);
}

TEST_F(KafkaTrouble, AServerThatTakesNoLoginIsUnauthenticatedWithoutTheSecret) {
  server.create("t");
  ::setenv("KPS_KAFKA_TEST_PASSWORD", "s3cr3t-word", 1);
  const Error error = error_of([&] {
    Consumer consumer(plugin,
                      metadata(one + R"(,"mechanism":"PLAIN","username":"u","passwordEnv":"KPS_KAFKA_TEST_PASSWORD")"));
    for (int i = 0; i < 50; ++i) {
      try {
        consumer.next(100);
      } catch (const Error& failure) {
        if (failure.code != KPS_UNAVAILABLE) throw;
      }
    }
  });
  EXPECT_EQ(error.code, KPS_UNAUTHENTICATED) << error.what();
  EXPECT_THAT(error.what(), Not(HasSubstr("s3cr3t")));
}

TEST_F(KafkaTrouble, AMessageThatIsTooLargeIsRefusedAloneAndTheNextGoes) {
  server.create("t");
  Producer producer(plugin, metadata(R"(,"messageBytesMax":1000)"));
  EXPECT_EQ(producer.produce({"a", std::string(2000, 'x'), "b"}), 1u);
  EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT);
  EXPECT_EQ(producer.produce({"b"}), 1u);
  producer.flush();
  EXPECT_EQ(server.content("t", 0, 2), (Texts{"a", "b"}));
}

TEST_F(KafkaTrouble, AReportOfFailureFailsTheFlushAndStaysSo) {
  server.create("t");
  Producer producer(plugin, metadata());
  rd_kafka_mock_push_request_errors(server.cluster(), 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_EQ(producer.produce({"x"}), 1u);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_PERMISSION_DENIED);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_DATA_LOSS) << "it is gone, and nobody may think otherwise";
}

TEST_F(KafkaTrouble, RefusesBadParametersByName) {
  const auto refused = [&](const std::string& json, const std::string& sentence) {
    const Error error = error_of([&] { Consumer(plugin, json); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << json;
    EXPECT_THAT(error.what(), HasSubstr(sentence));
  };
  refused("{}", "\"brokers\" is missing");
  refused(R"({"brokers":"b"})", "\"topic\" is missing");
  refused(metadata("", "a b"), "\"topic\" must be the name of one topic");
  refused(metadata(), "give \"group\" or \"partitions\"");
  refused(metadata(R"(,"partitions":"0","group":"g")"), "give \"group\" or \"partitions\"");
  for (const char* partitions : {"x", "1-", "-1", "3-2", "1,", ",1", "1,,2", "99999999999"})
    refused(metadata(R"(,"partitions":")" + std::string(partitions) + "\""), "\"partitions\" must be numbers");
  refused(metadata(R"(,"partitions":"0-120")"), "at most 120");
  refused(metadata(one + R"(,"mechanism":"PLAIN")"), "\"mechanism\" needs");
  refused(metadata(one + R"(,"username":"u")"), "needs a \"mechanism\"");
  refused(metadata(one + R"(,"key":"k")"), "\"key\" is not a known key");
  for (const char* position : {"x", "v1 t", "v1 t ", "v1 t 0", "v1 t 0:", "v1 t 0:1,", "v1 t 0:1,0:2", "v1 t 0:-1"})
    EXPECT_EQ(error_of([&] { Consumer(plugin, metadata(one), position); }).code, KPS_DATA_LOSS) << position;
}

TEST_F(KafkaTrouble, DestroyDoesNotHangOnAServerThatIsAway) {
  server.create("t");
  auto consumer = std::make_unique<Consumer>(plugin, metadata(R"(,"group":"g")"));
  auto producer = std::make_unique<Producer>(plugin, metadata());
  server.stop();
  producer->produce({"x"});
  const auto begin = steady_clock::now();
  consumer.reset();
  producer.reset();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(6));
}

}  // namespace
}  // namespace kps::testing
