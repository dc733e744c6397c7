// A host whose broker is not there yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e-host/host_process.h"

namespace kps::test {
namespace {

using testing::HasSubstr;

TEST(BrokerTest, HostStaysUpWithoutItAndRecoversWhenItComes) {
  if (std::string(KPS_NATS_SERVER).empty()) GTEST_SKIP() << "nats-server is not installed";
  const int port = FreePort();
  TempFolder folder;
  const std::string path = folder.Write("streams.json", PayloadsJson({StreamJson("out", "EGRESS", "kps.e2e")}));
  HostProcess host({"--plugin", "generator", "--transport", "nats://127.0.0.1:" + std::to_string(port), "--payloads", path});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  ASSERT_TRUE(host.WaitForEvents("streamUnhealthy"));
  EXPECT_THAT(host.Client({"streams", "get"}), HasSubstr("out"));

  BrokerProcess broker(port);
  ASSERT_TRUE(broker.WaitUntilReady());
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
