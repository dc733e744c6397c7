// A swap as an author and an operator meet it: the host and the client as programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/plugin_file.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SwapProcess : public testing::Test {
 protected:
  std::unique_ptr<HostProcess> Start(std::vector<std::string> more = {}, std::vector<std::string> environment = {}) {
    const std::string payloads =
        folder_.Write("payloads.json", PayloadsJson({StreamJson("greet", "INGRESS", "c", R"({"intervalMs":10})")}));
    std::vector<std::string> arguments{"--plugin", plugin_.path(), "--payloads", payloads};
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
  const PluginFile plugin_{folder_, "template"};
};

TEST_F(SwapProcess, WatchingItSwapsWhatIsBuilt) {
  const auto host = Start({"--watch"});
  plugin_.Replace("second");
  EXPECT_TRUE(ReachesGeneration(host.get(), 2));
  EXPECT_THAT(host->Client({"plugin", "status"}),
              AllOf(HasSubstr(plugin_.path() + " (watched)"), HasSubstr("last swap"), HasSubstr("1 streams, pause"),
                    HasSubstr("messages lost 0")));
  EXPECT_TRUE(host->WaitForEvents("pluginSwapped"));
  plugin_.Break();
  EXPECT_TRUE(host->WaitForEvents("pluginSwapFailed"));
  EXPECT_THAT(host->Client({"plugin", "status"}), AllOf(HasSubstr("last failure"), HasSubstr("is not an ELF file")));
  EXPECT_TRUE(host->WaitForRunning(1)) << "the version before goes on";
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, AReloadSwapsOnDemandAndSaysWhatCameOfIt) {
  const auto host = Start();
  EXPECT_THAT(host->Client({"plugin", "reload"}), HasSubstr("which runs already"));
  plugin_.Replace("second");
  EXPECT_THAT(host->Client({"plugin", "reload"}), HasSubstr("template 0.1.0 -> 0.1.0: 1 stream moved, pause "));
  EXPECT_TRUE(ReachesGeneration(host.get(), 2));
  plugin_.Break();
  Process refused({KPS_CONNECTOR, "--address", host->address(), "plugin", "reload"}, {});
  EXPECT_EQ(refused.Wait(), 2);
  EXPECT_THAT(refused.err(), AllOf(HasSubstr("is not an ELF file"), HasSubstr("version 0.1.0 goes on")));
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, OnlyWhatIsListedRuns) {
  const auto list = [&] {
    Process tool({KPS_CONNECTOR, "plugin", "sums", plugin_.path()}, {});
    EXPECT_EQ(tool.Wait(), 0);
    return folder_.Write("sums", tool.out());
  };
  const std::string sums = list();
  const auto host = Start({"--plugin-sums", sums});
  plugin_.Replace("second");
  Process refused({KPS_CONNECTOR, "--address", host->address(), "plugin", "reload"}, {});
  EXPECT_EQ(refused.Wait(), 2);
  EXPECT_THAT(refused.err(), HasSubstr("another SHA-256 for template.so"));
  HostProcess other({"--plugin", plugin_.path(), "--plugin-sums", sums});
  EXPECT_EQ(other.process().Wait(), 2);
  list();
  EXPECT_THAT(host->Client({"plugin", "reload"}), HasSubstr("1 stream moved"));
  EXPECT_EQ(host->Stop(), 0);
}

TEST_F(SwapProcess, WhatEverybodyMayWriteToDoesNotRun) {
  const auto host = Start();
  ASSERT_EQ(chmod(plugin_.path().c_str(), 0666), 0);
  HostProcess other({"--plugin", plugin_.path()});
  EXPECT_EQ(other.process().Wait(), 2);
  EXPECT_THAT(other.process().err(), HasSubstr("everybody may write to " + plugin_.path()));
  plugin_.Replace("second");
  ASSERT_EQ(chmod(plugin_.path().c_str(), 0666), 0);
  Process refused({KPS_CONNECTOR, "--address", host->address(), "plugin", "reload"}, {});
  EXPECT_EQ(refused.Wait(), 2);
  EXPECT_THAT(refused.err(), HasSubstr("everybody may write to " + plugin_.path()));
  EXPECT_EQ(host->Stop(), 0);
  const auto allowed = Start({"--allow-writable-plugins"});
  EXPECT_EQ(allowed->Stop(), 0);
}

TEST_F(SwapProcess, AHangUpSwapsToo) {
  const auto host = Start({}, {"KPS_NO_UNLOAD=true"});
  plugin_.Replace("second");
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
