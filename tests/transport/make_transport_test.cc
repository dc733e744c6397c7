#include "host/transport/make_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/support.h"

namespace kps::test {
namespace {

TEST(MakeTransportTest, MemoryIsConnectedAtOnce) {
  RecordingLogger logger;
  EXPECT_TRUE(Must(MakeTransport("memory:", "test", &logger))->Connected());
}

TEST(MakeTransportTest, MemoryCannotDeliverAtLeastOnceAndSaysSo) {
  RecordingLogger logger;
  const auto made = MakeTransport("memory:", "test", &logger, JetStreamOptions{});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(made.error().message(), testing::HasSubstr("memory: keeps nothing"));
}

TEST(MakeTransportTest, AServerThatIsNotThereIsNoError) {
  RecordingLogger logger;
  auto transport = Must(MakeTransport("nats://127.0.0.1:1", "test", &logger));
  EXPECT_FALSE(transport->Connected());
  EXPECT_THAT(transport->DisconnectReason(), testing::HasSubstr("nats://127.0.0.1:1"));
}

TEST(MakeTransportTest, AnythingElseIsRefusedWithWhatIsAccepted) {
  RecordingLogger logger;
  for (const char* url : {"", "kafka://x", "127.0.0.1:4222", "memory:x"}) {
    const auto made = MakeTransport(url, "test", &logger);
    ASSERT_FALSE(made.ok()) << url;
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(made.error().message(), testing::HasSubstr("nats://HOST:PORT, tls://HOST:PORT or memory:"));
  }
}

TEST(MakeTransportTest, AnUnusableUrlIsRefusedWithoutItsPassword) {
  RecordingLogger logger;
  for (const char* url : {"nats://u:secret@host:notaport", "nats://ok:4222,nats://u:secret@host:99999999", "nats://",
                          "nats://host:", "nats://host:0", "nats://host:4222,", "nats://[::1]:x"}) {
    const auto made = MakeTransport(url, "test", &logger);
    ASSERT_FALSE(made.ok()) << url;
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(made.error().message(), testing::Not(testing::HasSubstr("secret")));
  }
}

TEST(MakeTransportTest, UsualUrlsAreAccepted) {
  RecordingLogger logger;
  for (const char* url :
       {"nats://127.0.0.1:1/", "nats://u:p@127.0.0.1:1", "nats://[::1]:1", "nats://127.0.0.1:1,tls://[::1]:1"}) {
    EXPECT_TRUE(MakeTransport(url, "test", &logger).ok()) << url;
  }
}

}  // namespace
}  // namespace kps::test
