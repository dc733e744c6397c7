// A host whose broker is not there yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/host_process.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using testing::HasSubstr;

TEST(BrokerTest, HostStaysUpWithoutItAndRecoversWhenItComes) {
  NatsServer broker;
  broker.Stop();  // its port stays known
  TempFolder folder;
  const std::string path = folder.Write("streams.json", PayloadsJson({StreamJson("out", "EGRESS", "kps.e2e")}));
  HostProcess host({"--plugin", "generator", "--transport", broker.url(), "--payloads", path});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  ASSERT_TRUE(host.WaitForEvents("streamUnhealthy"));
  EXPECT_THAT(host.Client({"streams", "get"}), HasSubstr("out"));

  broker.Start();
  ASSERT_TRUE(host.WaitForEvents("streamHealthy", std::chrono::seconds(60)));
  ASSERT_TRUE(host.WaitForRunning(1));
  host.Client({"streams", "set", "--add",
               folder.Write("in.json", StreamJson("in", "INGRESS", "kps.e2e", R"({"count":1000})"))});
  EXPECT_TRUE(host.WaitForEvents("\"received\": 1000"));
  EXPECT_THAT(host.Client({"events"}), HasSubstr("all messages came once and in order"));
  EXPECT_EQ(host.Stop(), 0);
}

}  // namespace
}  // namespace kps::test
