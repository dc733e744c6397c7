// `plugin check mqtt` over a real mosquitto.
#include <gtest/gtest.h>
#include <mosquitto.h>

#include <memory>
#include <string>

#include "tests/support/mosquitto_server.h"
#include "tests/support/process.h"

namespace kps::test {
namespace {

constexpr int kMessages = 20;

// Every consumer without a session of its own gets them anew.
void Retain(int port) {
  mosquitto_lib_init();
  const std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client(mosquitto_new(nullptr, true, nullptr),
                                                                        mosquitto_destroy);
  ASSERT_EQ(mosquitto_connect(client.get(), "127.0.0.1", port, 60), MOSQ_ERR_SUCCESS);
  static int published = 0;
  mosquitto_publish_callback_set(client.get(), [](mosquitto*, void*, int) { ++published; });
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ(mosquitto_publish(client.get(), nullptr, ("check/" + std::to_string(i)).c_str(), 5, "hello", 1, true),
              MOSQ_ERR_SUCCESS);
  }
  while (published < kMessages) ASSERT_EQ(mosquitto_loop(client.get(), 1000, 1), MOSQ_ERR_SUCCESS);
}

TEST(MqttCheckTest, TheRulesAreKept) {
  const MosquittoServer server;
  Retain(server.port());
  const std::string broker = R"("broker": ")" + server.url() + "\"";
  Process check({KPS_CONNECTOR, "plugin", "check", "mqtt", "--stream",
                 R"({"topic": "check/#", "keepSession": false, )" + broker + "}", "--stream",
                 R"({"name": "out", "direction": "EGRESS", "stream": {"topic": "written", )" + broker + "}}"},
                {});
  EXPECT_TRUE(check.WaitForOutput("kept    process"));  // each wait has a deadline of its own
  EXPECT_EQ(check.Wait(), 0) << check.out() << check.err();
  EXPECT_NE(check.out().find("kept    ack"), std::string::npos) << check.out();
}

}  // namespace
}  // namespace kps::test
