// A swap as an author and an operator meet it: the host and the client as programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/host_process.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SwapProcess : public testing::Test {
 protected:
  SwapProcess() { Replace(""); }

  // A build with a content of its own: nobody looks behind the end of an ELF file.
  void Replace(const std::string& suffix) const {
    std::filesystem::copy_file(std::string(KPS_PLUGINS) + "/template.so", folder_.Path("new"),
                               std::filesystem::copy_options::overwrite_existing);
    std::ofstream(folder_.Path("new"), std::ios::binary | std::ios::app) << suffix;
    std::filesystem::rename(folder_.Path("new"), plugin_);
  }
  void Break() const { std::ofstream(plugin_, std::ios::binary) << "not a library"; }
  std::unique_ptr<HostProcess> Start(std::vector<std::string> more = {}, std::vector<std::string> environment = {}) {
    const std::string payloads =
        folder_.Write("payloads.json", PayloadsJson({StreamJson("greet", "INGRESS", "c", R"({"intervalMs":10})")}));
    std::vector<std::string> arguments{"--plugin", plugin_, "--payloads", payloads};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto host = std::make_unique<HostProcess>(arguments, environment);
    EXPECT_TRUE(host->WaitUntilListening());
    EXPECT_TRUE(host->WaitForRunning(1));
    return host;
  }
  static bool ReachesGeneration(HostProcess* host, int generation) {
    return host->WaitForClient({"plugin", "status", "-o", "json"}, [&](const std::string& json) {
      return json.find("\"generation\": \"" + std::to_string(generation) + "\"") != std::string::npos;
    });
  }

  TempFolder folder_;
  const std::string plugin_ = folder_.Path("template.so");
};

TEST_F(SwapProcess, WatchingItSwapsWhatIsBuilt) {
  const auto host = Start({"--watch"});
  Replace("second");
  EXPECT_TRUE(ReachesGeneration(host.get(), 2));
  EXPECT_THAT(host->Client({"plugin", "status"}), AllOf(HasSubstr(plugin_ + " (watched)"), HasSubstr("last swap"),
                                                        HasSubstr("1 streams, pause"), HasSubstr("messages lost 0")));
  EXPECT_TRUE(host->WaitForEvents("pluginSwapped"));
  Break();
  EXPECT_TRUE(host->WaitForEvents("pluginSwapFailed"));
  EXPECT_THAT(host->Client({"plugin", "status"}), AllOf(HasSubstr("last failure"), HasSubstr("is not an ELF file")));
  EXPECT_TRUE(host->WaitForRunning(1)) << "the version before goes on";
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, AReloadSwapsOnDemandAndSaysWhatCameOfIt) {
  const auto host = Start();
  EXPECT_THAT(host->Client({"plugin", "reload"}), HasSubstr("which runs already"));
  Replace("second");
  EXPECT_THAT(host->Client({"plugin", "reload"}), HasSubstr("template 0.1.0 -> 0.1.0: 1 stream moved, pause "));
  EXPECT_TRUE(ReachesGeneration(host.get(), 2));
  Break();
  Process refused({KPS_CONNECTOR, "--address", host->address(), "plugin", "reload"}, {});
  EXPECT_EQ(refused.Wait(), 2);
  EXPECT_THAT(refused.err(), AllOf(HasSubstr("is not an ELF file"), HasSubstr("version 0.1.0 goes on")));
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, AHangUpSwapsToo) {
  const auto host = Start({}, {"KPS_NO_UNLOAD=true"});
  Replace("second");
  host->process().Signal(SIGHUP);
  EXPECT_TRUE(ReachesGeneration(host.get(), 2));
  EXPECT_THAT(host->Client({"plugin", "status"}), HasSubstr("2 of at most 64")) << "nothing is unloaded";
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, ItsPrivateCopiesGoWithIt) {
  const std::string temporary = folder_.Path("tmp");
  std::filesystem::create_directory(temporary);
  const auto host = Start({}, {"TMPDIR=" + temporary});
  EXPECT_FALSE(std::filesystem::is_empty(temporary));
  EXPECT_EQ(host->Stop(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

}  // namespace
}  // namespace kps::test
