// A host that gets no more threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "tests/e2e/host_process.h"

namespace kps::test {
namespace {

using testing::HasSubstr;
using testing::Not;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // their runtimes do not survive it
#else
constexpr bool kSanitized = false;
#endif

// Lets the process have so many bytes of address space more than it has.
void LeaveRoom(pid_t process, rlim_t bytes) {
  rlim_t pages = 0;
  std::ifstream("/proc/" + std::to_string(process) + "/statm") >> pages;
  const rlim_t limit = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit limits{limit, RLIM_INFINITY};
  ASSERT_EQ(prlimit(process, RLIMIT_AS, &limits, nullptr), 0);
}

TEST(ThreadsTest, AChangeForWhichThereAreNotEnoughChangesNothing) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need the address space";
  TempFolder folder;
  HostProcess host({"--plugin", "template"});
  ASSERT_TRUE(host.WaitUntilListening()) << host.process().err();
  const std::string two =
      folder.Write("two.json", PayloadsJson({StreamJson("changes", "EGRESS", "a"), StreamJson("goes", "EGRESS", "b")}));
  host.Client({"streams", "set", two});
  ASSERT_TRUE(host.WaitForRunning(2));
  std::vector<std::string> streams{StreamJson("changes", "EGRESS", "other")};
  for (int i = 0; i < 1000; ++i) streams.push_back(StreamJson("new" + std::to_string(i), "EGRESS", "c"));
  const std::string many = folder.Write("many.json", PayloadsJson(streams));

  LeaveRoom(host.process().pid(), 1024UL * 1024 * 1024);
  Process refused({KPS_CONNECTOR, "--address", host.address(), "streams", "set", many}, {});
  EXPECT_EQ(refused.Wait(), 2);
  EXPECT_THAT(refused.err(), HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_THAT(refused.err(), HasSubstr("no thread"));
  const std::string left = host.Client({"streams", "get", "-o", "json"});
  EXPECT_THAT(left, HasSubstr("\"goes\""));
  EXPECT_THAT(left, Not(HasSubstr("\"other\"")));
  EXPECT_THAT(left, Not(HasSubstr("\"new")));
  EXPECT_THAT(host.Client({"events", "-o", "json"}), Not(HasSubstr("\"new")));

  LeaveRoom(host.process().pid(), RLIM_INFINITY / 2);
  host.Client({"streams", "set", folder.Write("one.json", PayloadsJson({StreamJson("changes", "EGRESS", "other")}))});
  EXPECT_TRUE(host.WaitForRunning(1));
  EXPECT_EQ(host.Stop(), 0);
}

}  // namespace
}  // namespace kps::test
