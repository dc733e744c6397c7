// A plugin that does not come back from a call must not keep the host from stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/host_process.h"

namespace kps::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

class StuckTest : public testing::TestWithParam<const char*> {};

std::string NameOf(const testing::TestParamInfo<const char*>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Function, StuckTest,
                         testing::Values("create_consumer", "next_msg", "destroy_consumer", "destroy_connector"),
                         NameOf);

TEST_P(StuckTest, EndsTheHostInTimeWithTheNameOfTheFunction) {
  const std::string function = GetParam();
  const TempFolder folder;
  const std::vector<std::string> arguments = {"--plugin", KPS_HANGS,     "--drain-timeout",
                                              "1",        "--state-dir", folder.Path("state")};
  {
    HostProcess host(arguments, {"KPS_TEST_HANGS=" + function});
    ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
    host.Client({"streams", "set", folder.Write("in.json", StreamJson("in", "INGRESS", "c"))});
    if (function == "create_consumer") {
      // It never shows that it is there.
    } else if (function == "next_msg") {
      ASSERT_TRUE(host.WaitForEvents("streamHealthy"));
    } else {
      ASSERT_TRUE(host.WaitForRunning(1));
    }
    const auto stopped_at = steady_clock::now();
    EXPECT_EQ(host.Stop(), 4) << host.process().err();
    EXPECT_LT(steady_clock::now() - stopped_at, seconds(15)) << "5 s, on a machine that is not busy";
    const bool of_stream = function != "destroy_connector";
    EXPECT_THAT(host.process().err(),
                HasSubstr(std::string(of_stream ? "[in] " : "") + "the plugin has been in " + function + " for "));
    EXPECT_THAT(host.process().err(), HasSubstr("exit code 4"));
    EXPECT_THAT(host.process().err(), Not(HasSubstr("INFO  stopped")));
  }
  // The state was written, and nobody holds it any more.
  HostProcess next(arguments);
  ASSERT_TRUE(next.WaitUntilListening()) << next.process().err();
  EXPECT_TRUE(next.WaitForRunning(1));
  EXPECT_EQ(next.Stop(), 0) << next.process().err();
}

TEST(StuckConnectorTest, ASetPayloadThatIsNotAnsweredHoldsNoStop) {
  const TempFolder folder;
  HostProcess host({"--plugin", KPS_HANGS, "--drain-timeout", "0"}, {"KPS_TEST_HANGS=configure"});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  Process client({KPS_CONNECTOR, "--address", host.address(), "--timeout", "1", "config", "set",
                  folder.Write("config.json", R"({"config":{"metadata":{"a":1}}})")},
                 {});
  EXPECT_NE(client.Wait(), 0);
  EXPECT_EQ(host.Stop(), 4) << host.process().err();
  EXPECT_THAT(host.process().err(), HasSubstr("the plugin has been in configure for "));
}

}  // namespace
}  // namespace kps::test
