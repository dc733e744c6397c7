// `plugin check http`: polling and sending over a real server, and a webhook that a client calls all the while.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/plugins/http_sender.h"
#include "tests/plugins/http_server.h"
#include "tests/support/process.h"

namespace kps::test {
namespace {

using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpSender;
using testing::HttpServer;

// Each poll finds another body: the one after the body whose validator it names.
HttpReply Counting(const HttpRequest& request) {
  if (request.method != "GET") return {};
  const std::string seen = request.header("if-none-match");
  const int number = seen.size() > 2 ? std::stoi(seen.substr(1)) + 1 : 0;
  return {200, "body " + std::to_string(number), {{"ETag", "\"" + std::to_string(number) + "\""}}};
}

// One kept rule is named, so that a run in which all were skipped does not pass.
void ExpectKept(Process* check, const std::string& rule) {
  EXPECT_TRUE(check->WaitForOutput("kept    process"));  // each wait has a deadline of its own
  EXPECT_EQ(check->Wait(), 0) << check->out() << check->err();
  EXPECT_NE(check->out().find("kept    " + rule), std::string::npos) << check->out();
}

TEST(HttpCheckTest, PollingAndSendingKeepTheRules) {
  const HttpServer server(Counting);
  const std::string url = R"("url": ")" + server.url() + "\"";
  Process check({KPS_CONNECTOR, "plugin", "check", "http", "--stream", R"({"intervalMs": 10, )" + url + "}", "--stream",
                 R"({"name": "out", "direction": "EGRESS", "stream": {)" + url + "}}"},
                {"no_proxy=*"});
  ExpectKept(&check, "position");
  EXPECT_NE(check.out().find("kept    produce"), std::string::npos) << check.out();
}

TEST(HttpCheckTest, AWebhookKeepsTheRules) {
  const HttpServer server;
  std::string address;
  {
    const HttpServer free;  // its port is free afterwards
    address = free.url().substr(7, free.url().size() - 8);
  }
  Process check(
      {KPS_CONNECTOR, "plugin", "check", "http", "--stream",
       R"({"answerTimeoutMs": 500, "listen": ")" + address + "\"}", "--stream",
       R"({"name": "out", "direction": "EGRESS", "stream": {"batch": "lines", "url": ")" + server.url() + "\"}}"},
      {"no_proxy=*"});
  std::atomic<bool> done{false};
  std::thread sender([&] {
    HttpSender sender("http://" + address + "/");
    while (!done) {
      if (sender.send("hello").status == 0) std::this_thread::yield();
    }
  });
  ExpectKept(&check, "ack");
  done = true;
  sender.join();
}

}  // namespace
}  // namespace kps::test
