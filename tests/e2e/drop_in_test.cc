// The host in the place of a connector of the Go template: started as its YAML starts it, with nothing else. It listens
// on the fixed ports of that, so the test has a network of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/e2e/host_process.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using testing::HasSubstr;

// From here on this process and its children have a network with nothing but a loopback. False: this machine forbids
// it.
bool EnterOwnNetwork() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq loopback{};
  std::strncpy(loopback.ifr_name, "lo", IFNAMSIZ - 1);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = fd >= 0 && ::ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
  ::close(fd);
  return up;
}

class DropInTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(DropInTest, RunsAsTheTemplateIsRun) {
  if (!EnterOwnNetwork()) GTEST_SKIP() << "this machine permits no network of one's own (unshare)";
  NatsServer broker;
  std::vector<std::string> command{KPS_HOST};
  command.insert(command.end(), GetParam().begin(), GetParam().end());
  Process host(command, {"KPS_PLUGIN=generator", "NATS_BROKER=" + broker.url(), "NATS_NAME=edge-1",
                         "PUSH_GW=127.0.0.1:9091", "CONNECTOR_INSTANCE_ID=from-the-environment"});
  ASSERT_TRUE(host.WaitForOutput("listening on 0.0.0.0:8000")) << host.err();
  const std::string id = GetParam().empty() ? "from-the-environment" : "from-the-flag";

  TempFolder folder;
  const std::string in = folder.Write("in.json", StreamJson("in", "INGRESS", "c"));
  const auto client = [&](const std::string& connector) {
    Process process({KPS_CONNECTOR, "--address", "127.0.0.1:8000", "--connector-id", connector, "streams", "set", in},
                    {});
    return process.Wait();
  };
  EXPECT_EQ(client(id), 0);
  EXPECT_EQ(client("another"), 2) << "refused: it is not this connector's id";
  EXPECT_TRUE(host.WaitForOutput("transport connected to " + broker.url())) << host.err();
  host.Signal(SIGTERM);
  EXPECT_EQ(host.Wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(As, DropInTest,
                         testing::Values(std::vector<std::string>{},
                                         std::vector<std::string>{"-connectorInstanceID", "from-the-flag"},
                                         std::vector<std::string>{"-connectorInstanceID=from-the-flag"},
                                         std::vector<std::string>{"--connectorInstanceID", "from-the-flag"}));

}  // namespace
}  // namespace kps::test
