// Streams within one host, over memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/host_process.h"

namespace kps::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StreamsTest, PayloadFileStartsStreamsAndMessagesPass) {
  TempFolder folder;
  const std::string path =
      folder.Write("streams.json", PayloadsJson({StreamJson("out", "EGRESS", "c"), StreamJson("in", "INGRESS", "c")}));
  HostProcess host({"--plugin", "generator", "--payloads", path});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_TRUE(host.WaitForRunning(2));
  EXPECT_TRUE(host.WaitForEvents("all messages came once and in order"));
  EXPECT_EQ(host.Stop(), 0);
}

TEST(StreamsTest, TwoHundredRunAtOnceAndStopInOrder) {
  TempFolder folder;
  std::vector<std::string> streams;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    streams.push_back(StreamJson("out" + n, "EGRESS", "c" + n));
    streams.push_back(StreamJson("in" + n, "INGRESS", "c" + n, R"({"intervalMs":100})"));
  }
  HostProcess host({"--plugin", "template", "--payloads", folder.Write("streams.json", PayloadsJson(streams))});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  EXPECT_TRUE(host.WaitForRunning(200));
  EXPECT_EQ(host.Stop(), 0);
  EXPECT_THAT(host.process().err(), HasSubstr("INFO  stopped\n"));
  EXPECT_THAT(host.process().err(), Not(HasSubstr(" WARN ")));
  EXPECT_THAT(host.process().err(), Not(HasSubstr(" ERROR ")));
}

TEST(StreamsTest, ClientStopsEveryStreamAndTheHostStaysUp) {
  TempFolder folder;
  HostProcess host({"--plugin", "template", "--payloads",
                    folder.Write("one.json", PayloadsJson({StreamJson("in", "INGRESS", "c")}))});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  ASSERT_TRUE(host.WaitForRunning(1));
  host.Client({"streams", "set", "--none"});
  EXPECT_TRUE(host.WaitForRunning(0));
  EXPECT_EQ(host.Stop(), 0);
}

}  // namespace
}  // namespace kps::test
