// The plugin mqtt over a real mosquitto.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/plugins/harness.h"
#include "tests/support/eventually.h"
#include "tests/support/mosquitto_server.h"

namespace kps::testing {
namespace {

using test::MosquittoServer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Texts = std::vector<std::string>;

std::string Metadata(const MosquittoServer& server, const std::string& more = "", const std::string& topic = "t") {
  return R"({"broker": ")" + server.url() + R"(", "topic": ")" + topic + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

void Send(Producer* producer, const Texts& payloads) {
  for (size_t sent = 0; sent < payloads.size();) {
    sent += producer->produce(Texts(payloads.begin() + static_cast<std::ptrdiff_t>(sent), payloads.end()));
    ASSERT_EQ(producer->last, KPS_OK);
  }
  producer->flush();
}

// Acknowledges as it goes: the broker sends only so many without.
Texts CollectAndAck(Consumer* consumer, size_t count) {
  Texts all;
  const auto deadline = std::chrono::steady_clock::now() + test::kDeadline;
  while (all.size() < count && std::chrono::steady_clock::now() < deadline) {
    for (std::string& payload : consumer->next(50)) all.push_back(std::move(payload));
    consumer->ack();
  }
  return all;
}

Texts Numbers(int first, int count) {
  Texts numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(first + i));
  return numbers;
}

// {protocol, qos}
class MqttTest : public ::testing::TestWithParam<std::pair<const char*, int>> {
 protected:
  std::string Options() const {
    return std::string(R"("protocol": ")") + GetParam().first + R"(", "qos": )" + std::to_string(GetParam().second);
  }
};

TEST_P(MqttTest, AnyBytesComeThroughInOrder) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(server, Options()));
  Producer producer(plugin, Metadata(server, Options()));
  std::mt19937 random(1);
  Texts sent;
  for (const size_t size : {0, 1, 127, 128, 16384, 100000, 262144}) {
    std::string payload(size, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    sent.push_back(payload);
  }
  Send(&producer, sent);
  EXPECT_EQ(CollectAndAck(&consumer, sent.size()), sent);
}

TEST_P(MqttTest, AThousandMessagesComeInOrder) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(server, Options()));
  Producer producer(plugin, Metadata(server, Options()));
  std::jthread sender([&] { Send(&producer, Numbers(0, 1000)); });
  EXPECT_EQ(CollectAndAck(&consumer, 1000), Numbers(0, 1000));
}

INSTANTIATE_TEST_SUITE_P(Each, MqttTest,
                         ::testing::Values(std::pair("5", 0), std::pair("5", 1), std::pair("5", 2),
                                           std::pair("3.1.1", 0), std::pair("3.1.1", 1), std::pair("3.1.1", 2)),
                         [](const auto& info) {
                           return (std::string(info.param.first) == "5" ? "V5Qos" : "V311Qos") +
                                  std::to_string(info.param.second);
                         });

TEST(MqttConsumerTest, WhatIsNotSafeComesAgain) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(server));
  {
    Consumer consumer(plugin, Metadata(server));
    Send(&producer, {"a", "b"});
    EXPECT_THAT(consumer.collect(2), ElementsAre("a", "b"));
  }
  {
    Consumer consumer(plugin, Metadata(server));
    EXPECT_THAT(CollectAndAck(&consumer, 2), ElementsAre("a", "b"));
  }
  Consumer consumer(plugin, Metadata(server));
  Send(&producer, {"c"});
  EXPECT_THAT(consumer.collect(1), ElementsAre("c"));
}

TEST(MqttConsumerTest, TheBrokerHoldsBackWhatComesAfterManyThatAreNotSafe) {
  const MosquittoServer server("max_inflight_messages 7");
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(server, R"("protocol": "3.1.1")"));
  Producer producer(plugin, Metadata(server));
  Send(&producer, Numbers(0, 20));
  EXPECT_EQ(consumer.collect(7), Numbers(0, 7));
  EXPECT_THAT(consumer.next(200), ElementsAre());
  EXPECT_EQ(CollectAndAck(&consumer, 13), Numbers(7, 13));
}

TEST(MqttConsumerTest, AnAcknowledgementOfSomeDoesNotAcknowledgeTheRest) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(server));
  {
    Consumer consumer(plugin, Metadata(server));
    Send(&producer, {"a", "b"});
    ASSERT_TRUE(test::Eventually([&] { return !consumer.next(50, 1).empty(); }));  // one of the two
    const uint64_t first = consumer.token;
    ASSERT_TRUE(test::Eventually([&] { return !consumer.next(50, 1).empty(); }));
    consumer.token = first;
    consumer.ack();
  }
  Consumer consumer(plugin, Metadata(server));
  EXPECT_THAT(CollectAndAck(&consumer, 2), ElementsAre("a", "b"));
}

TEST(MqttConsumerTest, WhatCameWhileTheStreamWasAwayIsKept) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  { const Consumer consumer(plugin, Metadata(server)); }
  Producer producer(plugin, Metadata(server));
  Send(&producer, {"while away"});
  Consumer consumer(plugin, Metadata(server));
  EXPECT_THAT(consumer.collect(1), ElementsAre("while away"));
}

TEST(MqttConsumerTest, WildcardsAndRetainedMessages) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Producer retained(plugin, Metadata(server, R"("retain": true)", "plant/1/temperature"));
  Send(&retained, {"21"});
  {
    Consumer consumer(plugin, Metadata(server, "", "plant/+/temperature"));
    EXPECT_THAT(CollectAndAck(&consumer, 1), ElementsAre("21"));
  }
  Consumer again(plugin, Metadata(server, "", "plant/+/temperature"));
  Producer other(plugin, Metadata(server, "", "plant/2/temperature"));
  Send(&other, {"22"});
  EXPECT_THAT(again.collect(1), ElementsAre("22")) << "what is retained comes with a new subscription alone";
}

TEST(MqttConsumerTest, AWakeEndsAWait) {
  const MosquittoServer server;
  Plugin plugin("mqtt");
  Consumer consumer(plugin, Metadata(server));
  std::jthread waker([&] { consumer.wake(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(consumer.next(60000), ElementsAre());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(MqttFaultTest, NoBroker) {
  std::string metadata;
  {
    const MosquittoServer server;
    metadata = Metadata(server);
  }
  Plugin plugin("mqtt");
  const Error error = error_of([&] { Consumer(plugin, metadata); });
  EXPECT_EQ(error.code, KPS_UNAVAILABLE);
  EXPECT_THAT(error.what(), HasSubstr("connect to the broker at mqtt://127.0.0.1:"));
  EXPECT_THAT(error.what(), HasSubstr("Connection refused"));
}

TEST(MqttFaultTest, WrongPassword) {
  Directory directory;
  append(directory / "passwords", "");
  const MosquittoServer server("allow_anonymous false\npassword_file " + (directory / "passwords"));
  append(directory / "secret", "do-not-tell\n");
  Plugin plugin("mqtt");
  for (const char* protocol : {"5", "3.1.1"}) {
    const Error error = error_of([&] {
      Consumer(plugin, Metadata(server, R"("username": "u", "passwordFile": ")" + (directory / "secret") +
                                            R"(", "protocol": ")" + protocol + "\""));
    });
    EXPECT_EQ(error.code, KPS_UNAUTHENTICATED) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("the broker refuses the username and password"));
    EXPECT_THAT(error.what(), Not(HasSubstr("do-not-tell")));
  }
}

TEST(MqttFaultTest, NotPermitted) {
  Directory directory;
  append(directory / "acl", "topic read allowed/#\n");
  const MosquittoServer server("acl_file " + (directory / "acl"));
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(server, "", "allowed/x"));
  EXPECT_EQ(producer.produce({"a"}), 1u);
  const Error error = error_of([&] { producer.flush(); });
  EXPECT_EQ(error.code, KPS_PERMISSION_DENIED) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("publish to allowed/x at mqtt://127.0.0.1:"));
}

TEST(MqttFaultTest, AMessageTooLarge) {
  const MosquittoServer server("max_packet_size 1000");
  Plugin plugin("mqtt");
  Producer producer(plugin, Metadata(server));
  EXPECT_EQ(producer.produce({"a", std::string(2000, 'x'), "b"}), 1u);
  EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT);
  producer.flush();
  EXPECT_EQ(producer.produce({"b"}), 1u);
  producer.flush();
}

TEST(MqttFaultTest, BadMetadata) {
  Plugin plugin("mqtt");
  for (const auto& [metadata, sentence] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"broker": "http://x", "topic": "t"})", "\"broker\" must be mqtt://HOST[:PORT]"},
           {R"({"broker": "mqtt://x:0", "topic": "t"})", "\"broker\" must be"},
           {R"({"broker": "mqtt://u:p@x", "topic": "t"})", "\"broker\" must be"},
           {R"({"broker": "x", "topic": "a#"})", "no topic filter of MQTT"},
           {R"({"broker": "x", "topic": "a", "qos": 3})", "\"qos\" must be a whole number from 0 to 2"},
           {R"({"broker": "x", "topic": "a", "passwordEnv": "NOT_SET_AT_ALL"})", "NOT_SET_AT_ALL is not set"},
           {R"({"broker": "x", "topic": "a", "passwordEnv": "HOME"})", "a password needs a \"username\""},
           {R"({"broker": "x", "topic": "a", "passwordEnv": "A", "passwordFile": "b"})", "not both"},
           {R"({"broker": "x", "topic": "a", "username": "u", "passwordFile": "/dev/null"})", "/dev/null is empty"},
           {R"({"broker": "x", "topic": "a", "username": "u", "passwordFile": "/dev/zero"})", "too large for a secret"},
           {R"({"broker": "x", "topic": "a", "tls": true, "keyFile": "/dev/null"})", "go together"},
           {R"({"broker": "mqtts://x", "topic": "a", "tls": false})", "\"tls\" is false"},
           {R"({"broker": "x", "topic": "a", "caFile": "/dev/null"})", "no TLS: set \"tls\""},
           {R"({"broker": "x", "topic": "a", "retain": true})", "\"retain\" is not a known key"},
       }) {
    const Error error = error_of([metadata = metadata, &plugin] { Consumer(plugin, metadata); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(sentence));
  }
  const Error secret = error_of([&] { Consumer(plugin, R"({"broker": "mqtt://u:s3cret@x", "topic": "t"})"); });
  EXPECT_THAT(secret.what(), AllOf(HasSubstr("without credentials: use \"username\""), Not(HasSubstr("s3cret"))));
  const Error missing = error_of(
      [&] { Consumer(plugin, R"({"broker": "x", "topic": "a", "username": "u", "passwordFile": "/no/file"})"); });
  EXPECT_EQ(missing.code, KPS_NOT_FOUND);
  EXPECT_THAT(missing.what(), HasSubstr("\"passwordFile\": open /no/file: No such file"));
  const Error error = error_of([&] { Producer(plugin, R"({"broker": "x", "topic": "a/+"})"); });
  EXPECT_THAT(error.what(), HasSubstr("without wildcards"));
}

TEST(MqttTlsTest, TheBrokerHasToBeTheOneThatIsTrusted) {
  Directory directory;
  const std::string cert = directory / "cert";
  const std::string key = directory / "key";
  ASSERT_EQ(std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout " + key +
                         " -out " + cert + " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null")
                            .c_str()),
            0);
  const MosquittoServer server("cafile " + cert + "\ncertfile " + cert + "\nkeyfile " + key);
  const std::string address = R"({"topic": "t", "broker": "mqtts://127.0.0.1:)" + std::to_string(server.port()) + "\"";
  Plugin plugin("mqtt");
  {
    Consumer consumer(plugin, address + R"(, "caFile": ")" + cert + "\"}");
    Producer producer(plugin, address + R"(, "tlsVerify": false})");
    Send(&producer, {"secret"});
    EXPECT_THAT(CollectAndAck(&consumer, 1), ElementsAre("secret"));
  }
  const Error unknown = error_of([&] { Consumer(plugin, address + "}"); });
  EXPECT_EQ(unknown.code, KPS_UNAVAILABLE);
  EXPECT_THAT(unknown.what(), HasSubstr("TLS failed"));
  const Error plain = error_of([&] { Consumer(plugin, Metadata(server)); });
  EXPECT_EQ(plain.code, KPS_UNAVAILABLE) << plain.what();
}

std::string Discover(const MosquittoServer& server, const std::string& filter) {
  return R"({"broker": ")" + server.url() + R"(", "discover": ")" + filter + R"(", "discoverS": 1})";
}

TEST(MqttDiscoveryTest, TopicsAreThoseOnWhichSomethingComes) {
  const MosquittoServer server;
  Plugin plugin("mqtt", Discover(server, "plant/#"));
  EXPECT_THAT(plugin.discover(), ElementsAre());
  Producer kept(plugin, Metadata(server, R"("retain": true)", "plant/kept"));
  Send(&kept, {"1"});
  Producer elsewhere(plugin, Metadata(server, "", "office"));
  std::atomic<bool> stop{false};
  std::jthread sender([&] {
    Producer now(plugin, Metadata(server, "", "plant/now"));
    while (!stop) {
      Send(&now, {"2"});
      Send(&elsewhere, {"3"});
    }
  });
  const Texts found = plugin.discover();
  stop = true;
  sender.join();
  ASSERT_THAT(found, ElementsAre(HasSubstr(R"("id":"plant/kept")"), HasSubstr(R"("id":"plant/now")")));
  EXPECT_EQ(found[0], R"({"id":"plant/kept","direction":"INGRESS","metadata":{"broker":")" + server.url() +
                          R"(","topic":"plant/kept"}})");
  EXPECT_EQ(plugin.discover(), found) << "those that were seen a while ago, too";
}

TEST(MqttDiscoveryTest, SaysWhatIsInItsWay) {
  MosquittoServer server;
  Plugin plugin("mqtt", Discover(server, "#"));
  server.Stop();
  EXPECT_EQ(error_of([&] { plugin.discover(); }).code, KPS_UNAVAILABLE);
  for (const char* wrong :
       {R"({"discover": "#"})", R"({"broker": "h://h"})", R"({"broker": "mqtt://h", "discover": "a/#/b"})"}) {
    EXPECT_EQ(error_of([&] { Plugin("mqtt", wrong); }).code, KPS_INVALID_ARGUMENT) << wrong;
  }
  EXPECT_THAT(Plugin("mqtt").discover(), ElementsAre());
}

// Everything arrives at least once while the broker restarts twice under about 2,000 messages a second, and the
// consumer is made anew once.
TEST(MqttFaultTest, RestartsAndASwapUnderLoad) {
  constexpr int kCount = 6000;
  MosquittoServer server;
  Plugin plugin("mqtt");
  auto consumer = std::make_unique<Consumer>(plugin, Metadata(server));
  std::atomic<int> sent{0};
  std::jthread sender([&] {
    Producer producer(plugin, Metadata(server));
    const auto flush = [&] {
      return test::Eventually([&] {
        try {
          producer.flush();
          return true;
        } catch (const Error&) {
          return false;
        }
      });
    };
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCount; i += 20) {
      std::this_thread::sleep_until(begin + std::chrono::microseconds(500) * i);
      for (size_t taken = 0; taken < 20;)
        taken += producer.produce(Numbers(i + static_cast<int>(taken), static_cast<int>(20 - taken)));
      if (!flush()) return;
      sent = i + 20;
    }
  });
  std::vector<bool> came(kCount);
  int missing = kCount;
  int restarts = 0;
  bool swapped = false;
  EXPECT_TRUE(test::Eventually(
      [&] {
        if (sent > kCount / 4 * (restarts + 1) && restarts < 2) {
          server.Stop();
          server.Start();
          ++restarts;
        }
        try {
          for (const std::string& payload : consumer->next(20)) {
            const auto number = static_cast<size_t>(std::stoi(payload));
            missing -= came[number] ? 0 : 1;
            came[number] = true;
          }
          if (sent > kCount / 8 && !swapped) {
            consumer.reset();
            consumer = std::make_unique<Consumer>(plugin, Metadata(server));
            swapped = true;
          } else {
            consumer->ack();
          }
        } catch (const Error& error) {
          EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
        }
        return missing == 0;
      },
      std::chrono::seconds(60)));
  EXPECT_EQ(restarts, 2);
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace kps::testing
