// What the tests of the plugin nats share.
#ifndef KPS_TESTS_PLUGINS_NATS_FIXTURE_H
#define KPS_TESTS_PLUGINS_NATS_FIXTURE_H

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/plugins/harness.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"

namespace kps::testing {

using Texts = std::vector<std::string>;

inline std::string nats_metadata(const std::string& url, const std::string& subject, const std::string& more = "") {
  return R"({"broker": ")" + url + R"(", "subject": ")" + subject + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

inline Texts numbers(int first, int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(first + i));
  return all;
}

// Exactly so many, or fewer when the deadline passes first.
inline Texts collect(Consumer* consumer, size_t count, bool ack = false) {
  Texts all;
  const auto deadline = std::chrono::steady_clock::now() + test::kDeadline;
  while (all.size() < count && std::chrono::steady_clock::now() < deadline) {
    const auto messages_max = static_cast<uint32_t>(std::min<size_t>(count - all.size(), 100));
    for (std::string& payload : consumer->next(50, messages_max)) all.push_back(std::move(payload));
    if (ack) consumer->ack();
  }
  return all;
}
inline Texts collect_and_ack(Consumer* consumer, size_t count) { return collect(consumer, count, true); }

// Whether `act` succeeds before the deadline; until then, it fails with `code` or `other` at most.
template <typename Act>
bool succeeds_after(kps_code code, Act act, kps_code other = KPS_OK) {
  return test::Eventually([&] {
    try {
      act();
      return true;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code == code || error.code == other) << error.code << ": " << error.what();
      return false;
    }
  });
}

// Until all are taken and delivered.
inline void send(Producer* producer, const Texts& payloads) {
  for (size_t sent = 0; sent < payloads.size();) {
    sent += producer->produce(Texts(payloads.begin() + static_cast<std::ptrdiff_t>(sent), payloads.end()));
    ASSERT_EQ(producer->last, KPS_OK) << producer->last_text;
  }
  ASSERT_TRUE(succeeds_after(KPS_DEADLINE_EXCEEDED, [&] { producer->flush(); }));  // one of them lasts a second at most
}

// A server with JetStream, and the stream S of the subject t and those below it.
class NatsJetStreamTest : public ::testing::Test {
 protected:
  NatsJetStreamTest() { raw.CreateStream("S", "\"t\", \"t.>\""); }

  std::string metadata(const std::string& more = "", const std::string& subject = "t") const {
    return nats_metadata(server.url(), subject, R"("jetstream": true)" + (more.empty() ? "" : ", " + more));
  }
  void publish(int first, int count) {
    for (const std::string& number : numbers(first, count)) raw.Publish("t", number);
  }
  std::string consumer_info(const std::string& durable = "kps-s1-t") { return raw.Call("CONSUMER.INFO.S." + durable); }

  test::NatsServer server{test::JetStreamConfig()};
  test::RawNats raw{server.url()};
  Plugin plugin{"nats"};
};

}  // namespace kps::testing

#endif
