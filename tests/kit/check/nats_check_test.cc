// `plugin check nats` over a real nats-server, with JetStream and without.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/nats_server.h"
#include "tests/support/process.h"
#include "tests/transport/raw_nats.h"

namespace kps::test {
namespace {

constexpr int kMessages = 20;

void ExpectKept(const NatsServer& server, const std::vector<std::string>& streams) {
  std::vector<std::string> arguments{KPS_CONNECTOR, "plugin",         "check",
                                     "nats",        "--static-param", "broker=" + server.url()};
  for (const std::string& stream : streams) {
    arguments.push_back("--stream");
    arguments.push_back(stream);
  }
  // The threads of 1,000 connections shift blocks between the allocator's caches of threads, which count as used:
  // without these caches, what is left is what was really left.
  Process check(arguments, {"GLIBC_TUNABLES=glibc.malloc.tcache_count=0"});
  EXPECT_TRUE(check.WaitForOutput("kept    process"));  // each wait has a deadline of its own
  EXPECT_EQ(check.Wait(), 0) << check.out() << check.err();
  EXPECT_NE(check.out().find("kept    produce"), std::string::npos) << check.out();
  EXPECT_NE(check.out().find("kept    unload"), std::string::npos) << check.out();
}

TEST(NatsCheckTest, TheRulesAreKept) {
  const NatsServer server;
  const std::string broker = R"("broker": ")" + server.url() + "\"";
  ExpectKept(server, {R"({"subject": "in", )" + broker + "}",
                      R"({"name": "out", "direction": "EGRESS", "stream": {"subject": "out", )" + broker + "}}"});
}

TEST(NatsCheckTest, TheRulesAreKeptWithJetStream) {
  const NatsServer server(JetStreamConfig());
  RawNats raw(server.url());
  raw.CreateStream("S", "\"in\", \"out\"");
  for (int i = 0; i < kMessages; ++i) raw.Publish("in", std::to_string(i));
  const std::string broker = R"("jetstream": true, "broker": ")" + server.url() + "\"";
  ExpectKept(server, {R"({"subject": "in", )" + broker + "}",
                      R"({"name": "out", "direction": "EGRESS", "stream": {"subject": "out", )" + broker + "}}"});
}

}  // namespace
}  // namespace kps::test
