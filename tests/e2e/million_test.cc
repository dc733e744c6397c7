// A million messages from end to end, over memory and over a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "tests/e2e/host_process.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

using testing::HasSubstr;

constexpr int kMessages = 1'000'000;
constexpr std::chrono::seconds kDeadline{90};

class MillionTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) broker_ = std::make_unique<NatsServer>();
  }
  std::string transport() const { return broker_ ? broker_->url() : "memory:"; }

  // The receiver first: a broker keeps nothing for those who come later.
  void Connect(HostProcess* host, const std::string& egress_metadata, const std::string& ingress_metadata) {
    ASSERT_TRUE(host->WaitUntilListening()) << host->process().err();
    host->Client({"streams", "set", folder_.Write("out.json", StreamJson("out", "EGRESS", "c", egress_metadata))});
    ASSERT_TRUE(host->WaitForRunning(1));
    host->Client(
        {"streams", "set", "--add", folder_.Write("in.json", StreamJson("in", "INGRESS", "c", ingress_metadata))});
  }

  TempFolder folder_;
  std::unique_ptr<NatsServer> broker_;
};

TEST_P(MillionTest, GeneratedMessagesComeOnceAndInOrder) {
  HostProcess host({"--plugin", "generator", "--transport", transport()});
  ASSERT_NO_FATAL_FAILURE(Connect(&host, "{}", R"({"count":)" + std::to_string(kMessages) + "}"));
  ASSERT_TRUE(host.WaitForEvents("\"received\": " + std::to_string(kMessages), kDeadline));
  const std::string events = host.Client({"events", "-o", "json"});
  EXPECT_THAT(events, HasSubstr("all messages came once and in order"));
  for (const char* count : {"missing", "gaps", "duplicates", "outOfOrder", "corrupt"}) {
    EXPECT_THAT(events, HasSubstr('"' + std::string(count) + "\": 0"));
  }
  EXPECT_EQ(host.Stop(), 0);
}

TEST_P(MillionTest, LinesOfAFileArriveAsTheyAre) {
  std::string lines;
  for (int i = 0; i < kMessages; ++i) lines += "line " + std::to_string(i) + '\n';
  const std::string from = folder_.Write("from.txt", lines);
  const std::string to = folder_.Path("to.txt");
  HostProcess host({"--plugin", "file", "--transport", transport()});
  ASSERT_NO_FATAL_FAILURE(Connect(&host, R"({"path":")" + to + "\"}", R"({"path":")" + from + R"(","from":"start"})"));
  ASSERT_TRUE(host.WaitForClient(
      {"streams", "get"},
      [&](const std::string&) {
        std::error_code not_there_yet;
        return std::filesystem::file_size(to, not_there_yet) >= lines.size() && !not_there_yet;
      },
      kDeadline));
  EXPECT_EQ(host.Stop(), 0);
  std::ifstream file(to, std::ios::binary);
  const std::string arrived{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(arrived == lines) << arrived.size() << " bytes arrived, " << lines.size() << " were sent";
}

INSTANTIATE_TEST_SUITE_P(Over, MillionTest, testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Nats" : "Memory"); });

}  // namespace
}  // namespace kps::test
