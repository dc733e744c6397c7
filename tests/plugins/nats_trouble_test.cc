// The plugin nats where things go wrong: servers that are away, permissions, bad parameters, restarts under load.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/plugins/nats_fixture.h"
#include "tests/support/fake_nats_server.h"

namespace kps::testing {
namespace {

using test::NatsServer;
using test::RawNats;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(NatsTroubleTest, NoBroker) {
  std::string url;
  {
    const NatsServer server;
    url = server.url();
  }
  Plugin plugin("nats");
  for (const char* more : {"", R"("jetstream": true)"}) {
    const Error error = error_of([&] { Consumer(plugin, nats_metadata(url, "t", more)); });
    EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("connect to " + url + ": nobody listens there"));
    EXPECT_EQ(error_of([&] { Producer(plugin, nats_metadata(url, "t", more)); }).code, KPS_UNAVAILABLE);
  }
}

TEST(NatsTroubleTest, WhatTheServerDoesNotPermit) {
  Directory directory;
  append(directory / "p", "p");
  const NatsServer server(test::JetStreamConfig() +
                          "\nauthorization { users: [{user: u, password: p, permissions: {"
                          "publish: {deny: [\"no\", \"$JS.API.CONSUMER.MSG.NEXT.>\"]}, subscribe: {deny: \"no\"}}}] }");
  const std::string login = R"("username": "u", "passwordFile": ")" + (directory / "p") + "\"";
  Plugin plugin("nats");
  const Error subscribe = error_of([&] { Consumer(plugin, nats_metadata(server.url(), "no", login)); });
  EXPECT_EQ(subscribe.code, KPS_PERMISSION_DENIED) << subscribe.what();
  EXPECT_THAT(subscribe.what(), HasSubstr("Permissions Violation for Subscription to \"no\""));
  Producer producer(plugin, nats_metadata(server.url(), "no", login));
  EXPECT_EQ(producer.produce({"a"}), 1u);
  const Error publish = error_of([&] { producer.flush(); });
  EXPECT_EQ(publish.code, KPS_PERMISSION_DENIED) << publish.what();
  EXPECT_THAT(publish.what(), HasSubstr("Permissions Violation for Publish to \"no\""));

  RawNats raw("nats://u:p@127.0.0.1:" + std::to_string(server.port()));
  raw.CreateStream("S", "\"t\"");
  std::unique_ptr<Consumer> consumer;
  const Error pull = error_of([&] {
    consumer = std::make_unique<Consumer>(plugin, nats_metadata(server.url(), "t", login + R"(, "jetstream": true)"));
    EXPECT_TRUE(test::Eventually([&] { return !consumer->next(20).empty(); }));
  });
  EXPECT_EQ(pull.code, KPS_PERMISSION_DENIED) << pull.what();
  EXPECT_THAT(pull.what(), HasSubstr("$JS.API.CONSUMER.MSG.NEXT.S"));
}

TEST(NatsTroubleTest, JetStreamThatIsNotEnabled) {
  const NatsServer server;
  Plugin plugin("nats");
  const Error error = error_of([&] { Producer(plugin, nats_metadata(server.url(), "t", R"("jetstream": true)")); });
  EXPECT_EQ(error.code, KPS_UNAVAILABLE);
  EXPECT_THAT(error.what(), HasSubstr("JetStream is not enabled on this server"));
  Plugin discovering("nats", R"({"broker": ")" + server.url() + "\"}");
  EXPECT_EQ(error_of([&] { discovering.discover(); }).code, KPS_UNAVAILABLE);
}

TEST(NatsTroubleTest, BadMetadata) {
  Plugin plugin("nats");
  for (const auto& [metadata, sentence] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"broker": "http://x", "subject": "t"})", "\"broker\" must be nats://HOST[:PORT]"},
           {R"({"broker": "nats://x:0", "subject": "t"})", "\"broker\" must be"},
           {R"({"broker": "nats://x,,y", "subject": "t"})", "\"broker\" must be"},
           {R"({"broker": "nats://u:pw@x", "subject": "t"})", "without credentials"},
           {R"({"broker": "nats://x,tls://y", "subject": "t"})", "for all servers or for none"},
           {R"({"broker": "x", "subject": "a..b"})", "\"subject\" must be parts with dots"},
           {R"({"broker": "x", "subject": "a.>.b"})", "\"subject\" must be parts with dots"},
           {R"({"broker": "x", "subject": "a b"})", "\"subject\" must be parts with dots"},
           {R"({"broker": "x", "subject": "a", "queueGroup": "a b"})", "\"queueGroup\" must be without spaces"},
           {R"({"broker": "x", "subject": "a", "durable": "d", "jetstream": false})", "\"durable\" is for JetStream"},
           {R"({"broker": "x", "subject": "a", "from": "new"})", "\"from\" is for JetStream"},
           {R"({"broker": "x", "subject": "a", "durable": "a.b"})", "\"durable\" must be without"},
           {R"({"broker": "x", "subject": "a", "jetstream": true, "queueGroup": "g"})", "is not for JetStream"},
           {R"({"broker": "x", "subject": "a", "nkey": "U"})", "go together"},
           {R"({"broker": "x", "subject": "a", "username": "u", "tokenEnv": "HOME"})", "not several"},
           {R"({"broker": "x", "subject": "a", "passwordEnv": "HOME"})", "a password needs a \"username\""},
           {R"({"broker": "tls://x", "subject": "a", "tls": false})", "\"tls\" is false"},
           {R"({"broker": "x", "subject": "a", "retain": true})", "\"retain\" is not a known key"},
       }) {
    const Error error = error_of([metadata = metadata, &plugin] { Consumer(plugin, metadata); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(sentence));
    EXPECT_THAT(error.what(), Not(HasSubstr("pw")));
  }
  const Error missing =
      error_of([&] { Consumer(plugin, R"({"broker": "x", "subject": "a", "credentialsFile": "/no/file"})"); });
  EXPECT_EQ(missing.code, KPS_NOT_FOUND);
  EXPECT_THAT(missing.what(), HasSubstr("\"credentialsFile\": open /no/file: No such file"));
  const Error wildcard = error_of([&] { Producer(plugin, R"({"broker": "x", "subject": "a.*"})"); });
  EXPECT_THAT(wildcard.what(), HasSubstr("without wildcards"));
  EXPECT_EQ(error_of([] { Plugin("nats", R"({"broker": "http://x"})"); }).code, KPS_INVALID_ARGUMENT);
}

// Everything arrives, in order but for what comes twice, while the server restarts twice under about 2,000 messages a
// second, and the consumer is made anew once.
TEST(NatsTroubleTest, RestartsAndANewConsumerUnderLoad) {
  constexpr int kCount = 6000;
  NatsServer server(test::JetStreamConfig());
  RawNats(server.url()).CreateStream("S", "\"t\"");
  const std::string metadata = nats_metadata(server.url(), "t", R"("jetstream": true)");
  Plugin plugin("nats");
  auto consumer = std::make_unique<Consumer>(plugin, metadata);
  std::atomic<int> sent{0};
  std::jthread sender([&] {
    Producer producer(plugin, metadata);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCount; i += 20) {
      std::this_thread::sleep_until(begin + std::chrono::microseconds(500) * i);
      for (size_t taken = 0; taken < 20;)
        taken += producer.produce(numbers(i + static_cast<int>(taken), static_cast<int>(20 - taken)));
      const bool flushed = test::Eventually([&] {
        try {
          producer.flush();
          return true;
        } catch (const Error&) {
          return false;
        }
      });
      if (!flushed) return;
      sent = i + 20;
    }
  });
  std::vector<bool> came(kCount);
  int next = 0;
  int missing = kCount;
  int restarts = 0;
  bool renewed = false;
  EXPECT_TRUE(test::Eventually(
      [&] {
        if (sent > kCount / 4 * (restarts + 1) && restarts < 2) {
          server.Stop();
          server.Start();
          ++restarts;
        }
        try {
          for (const std::string& payload : consumer->next(20)) {
            const int number = std::stoi(payload);
            EXPECT_LE(number, next) << "before what it follows";
            next = std::max(next, number + 1);
            missing -= came[static_cast<size_t>(number)] ? 0 : 1;
            came[static_cast<size_t>(number)] = true;
          }
          if (sent > kCount / 8 && !renewed) {
            consumer.reset();
            consumer = std::make_unique<Consumer>(plugin, metadata);
            renewed = true;
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

TEST(NatsTroubleTest, AServerThatAnswersLateButIsHeardIsWaitedFor) {
  test::FakeNatsServer busy;
  Plugin plugin("nats");
  Producer producer(plugin, nats_metadata(busy.url(), "t"));
  busy.BeLate(true);
  // All on one connection: the server forgets them with it.
  EXPECT_TRUE(test::Eventually([&] { return busy.PingsThatWait() >= 2; }));
  busy.BeLate(false);
  send(&producer, {"a"});
}

}  // namespace
}  // namespace kps::testing
