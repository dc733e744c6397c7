// kps-connector-host --probe, as the health check of a container runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/host_process.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using testing::HasSubstr;

struct Answer {
  int exit_code;
  std::string out;
  std::string err;
};

Answer Probe(const std::vector<std::string>& environment, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), {KPS_HOST, "--probe"});
  Process probe(arguments, environment);
  const int exit_code = probe.Wait();
  return {exit_code, probe.out(), probe.err()};
}

TEST(ProbeProcessTest, SaysWithinASecondThatTheBrokerIsAwayAndThatItIsBack) {
  NatsServer broker;
  HostProcess host({"--plugin", "generator", "--transport", broker.url()});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  const std::vector<std::string> environment{"KPS_LISTEN=" + host.address()};
  ASSERT_TRUE(Eventually([&] { return Probe(environment).exit_code == 0; }));

  broker.Stop();
  EXPECT_TRUE(Eventually([&] { return Probe(environment).exit_code == 1; }, std::chrono::seconds(1)));
  const Answer away = Probe(environment);
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_EQ(away.out, "");
  EXPECT_THAT(away.err, HasSubstr("kps-connector-host: the host at " + host.address() + " is not ready"));

  broker.Start();
  EXPECT_TRUE(Eventually([&] { return Probe(environment).exit_code == 0; }));
  const Answer back = Probe({}, {"--listen", host.address()});
  EXPECT_EQ(back.out, "the host at " + host.address() + " is ready\n");
  EXPECT_EQ(back.err, "");
  EXPECT_EQ(host.Stop(), 0);
  const Answer gone = Probe(environment);
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.err, HasSubstr("no host can be reached at " + host.address()));
}

TEST(ProbeProcessTest, StartsNothing) {
  const Answer answer = Probe({"KPS_PLUGIN=generator"}, {"--listen", "127.0.0.1:0"});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.err, HasSubstr("has no port to ask"));
}

}  // namespace
}  // namespace kps::test
