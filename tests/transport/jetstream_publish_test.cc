// What a JetStream stream confirms, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"
#include "tests/transport/support.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

class JetStreamPublishTest : public testing::Test {
 protected:
  void Start(const std::string& config = JetStreamConfig()) { server_.emplace(config); }
  void Connect(const JetStreamOptions& jetstream = {}) { transport_ = Connected(jetstream); }
  std::unique_ptr<Transport> Connected(const JetStreamOptions& jetstream = {}) {
    NatsOptions options{server_->url(), "test"};
    options.jetstream = jetstream;
    return ConnectTo(std::move(options), &logger_);
  }
  std::unique_ptr<Publisher> Open(const std::string& channel) { return Must(transport_->OpenPublisher(channel)); }
  // Publishes again and again, as a stream does, until it is accepted and confirmed.
  static bool EventuallyConfirmed(Publisher* publisher, const std::string& envelope) {
    return Eventually([&] {
      const auto ticket = publisher->Publish(envelope);
      return ticket.ok() && publisher->AwaitConfirmed(ticket.value(), milliseconds(2000)).ok();
    });
  }
  // Publishes until the stream refuses. Returns what Publish says then.
  static Error PublishUntilRefused(Publisher* publisher, const std::string& envelope) {
    Error error;
    EXPECT_TRUE(Eventually([&] {
      const auto ticket = publisher->Publish(envelope);
      if (!ticket.ok()) error = ticket.error();
      return !ticket.ok();
    }));
    return error;
  }

  RecordingLogger logger_;
  std::optional<NatsServer> server_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(JetStreamPublishTest, WhatAKilledHostHadPublishedIsNotDoubledByTheNext) {
  Start();
  for (const int last : {50, 100}) {
    Connect();
    auto publisher = Open("a");
    std::uint64_t ticket = 0;
    for (int i = 1; i <= last; ++i) {
      ticket = Must(publisher->Publish({.envelope = std::to_string(i), .message_id = "run/" + std::to_string(i)}));
    }
    if (last == 100) {
      EXPECT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
    }
  }
  auto subscription = Must(transport_->Subscribe("a", "s"));
  for (int i = 1; i <= 100; ++i) ASSERT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(subscription->Receive(milliseconds(100)).error().code(), Code::kDeadlineExceeded);
}

TEST_F(JetStreamPublishTest, HeadersTravelWithTheEnvelope) {
  Start();
  Connect();
  RawNats raw(server_->url());
  raw.Subscribe("a");
  const std::array<Header, 2> headers{{{"Reason", "two\r\nlines"}, {"Attempts", "3"}}};
  auto publisher = Open("a");
  for (int i = 0; i < 3; ++i) Must(publisher->Publish({"x", "id" + std::to_string(i), headers}));
  EXPECT_EQ(raw.NextHeader("Reason"), "two  lines");
  EXPECT_EQ(raw.NextHeader("Attempts"), "3");
  EXPECT_EQ(raw.NextHeader("Nats-Msg-Id"), "id2");
}

TEST_F(JetStreamPublishTest, AFullStreamShowsItOnceATryAndGoesOnInOrderWhenThereIsRoom) {
  Start();
  JetStreamOptions options;
  options.bytes_max = 20'000;
  Connect(options);
  auto publisher = Open("a");
  const Error full = PublishUntilRefused(publisher.get(), std::string(1000, 'x'));
  EXPECT_EQ(full.code(), Code::kUnavailable);
  EXPECT_THAT(full.message(), AllOf(HasSubstr("maximum bytes exceeded"), HasSubstr("kps-a"), HasSubstr("channel a")));
  EXPECT_EQ(publisher->AwaitConfirmed(publisher->Confirmed() + 1, milliseconds(0)).code(), Code::kAborted);
  const std::uint64_t confirmed = publisher->Confirmed();
  EXPECT_GT(confirmed, 10u);
  EXPECT_LT(confirmed, 20u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(publisher->Publish(std::string(1000, 'x')).error().message(), HasSubstr("maximum bytes exceeded"));
  }
  EXPECT_EQ(publisher->Confirmed(), confirmed);
  EXPECT_GT(transport_->Counters().publish_errors, 5u);
  RawNats(server_->url()).Call("STREAM.PURGE.kps-a");
  for (int i = 0; i < 10; ++i) Must(publisher->Publish(std::to_string(i)));
  EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("last")), kDeadline).ok());
  auto subscription = Must(transport_->Subscribe("a", "s"));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(MustReceive(subscription.get()), std::to_string(i));
  EXPECT_EQ(MustReceive(subscription.get()), "last");
}

TEST_F(JetStreamPublishTest, ALossIsToldToWhoeverWaitsAndThenShownByPublish) {
  Start();
  JetStreamOptions options;
  options.bytes_max = 20'000;
  Connect(options);
  auto publisher = Open("a");
  std::uint64_t ticket = 0;
  for (int i = 0; i < 15; ++i) ticket = Must(publisher->Publish(std::string(2000, 'x')));
  EXPECT_EQ(publisher->AwaitConfirmed(ticket, kDeadline).code(), Code::kAborted);
  EXPECT_THAT(publisher->Publish("x").error().ToString(), AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("maximum bytes")));
  EXPECT_EQ(publisher->AwaitConfirmed(publisher->Confirmed() + 1, milliseconds(0)).code(), Code::kDeadlineExceeded);
}

TEST_F(JetStreamPublishTest, AnEnvelopeThatTheStreamNeverTakesIsRefusedForGood) {
  Start();
  RawNats(server_->url()).CreateStream("small", "\"a\"", ",\"max_msg_size\":100");
  Connect();
  auto publisher = Open("a");
  const std::string large(500, 'x');
  Must(publisher->Publish(large));
  EXPECT_EQ(publisher->AwaitConfirmed(1, kDeadline).code(), Code::kAborted);
  EXPECT_EQ(publisher->Publish(large).error().code(), Code::kUnavailable);  // shown once
  const auto refused = publisher->Publish(large);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("message size exceeds maximum allowed"));
  EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("small")), kDeadline).ok());
}

TEST_F(JetStreamPublishTest, ATooLargeEnvelopeIsRefusedWithItsHeaders) {
  Start("max_payload: 1000\n" + JetStreamConfig());
  Connect();
  auto publisher = Open("a");
  EXPECT_TRUE(publisher->Publish(std::string(1000, 'x')).ok());
  const auto refused = publisher->Publish({.envelope = std::string(1000, 'x'), .message_id = "id"});
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("1000 bytes, with headers of 29,"), HasSubstr("max_payload")));
}

TEST_F(JetStreamPublishTest, AStreamThatIsDeletedUnderLoadIsMadeAgainAndTheLossIsShown) {
  Start();
  JetStreamOptions options;
  options.memory_storage = true;  // nats-server 2.9 may remove the files of the new one with those of the old
  options.confirm_timeout = milliseconds(500);
  Connect(options);
  auto publisher = Open("a");
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> confirmed{0};
  std::atomic<int> shown{0};
  std::string last_shown;
  std::thread caller([&] {
    while (!done) {
      const auto ticket = publisher->Publish("x");
      if (!ticket.ok() && ticket.error().code() == Code::kUnavailable) {
        ++shown;
        last_shown = ticket.error().message();
      }
      confirmed = publisher->Confirmed();
      // A window as a stream has one; else what the stream had confirmed before its end is counted after it.
      if (ticket.ok() && ticket.value() > confirmed + 500) (void)publisher->AwaitConfirmed(ticket.value(), kDeadline);
    }
  });
  RawNats raw(server_->url());
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = confirmed;
    EXPECT_TRUE(Eventually([&] { return confirmed > before + 2000; }));
    raw.Call("STREAM.DELETE.kps-a");
  }
  const std::uint64_t before = confirmed;
  EXPECT_TRUE(Eventually([&] { return confirmed > before + 2000; }));
  done = true;
  caller.join();
  EXPECT_GE(shown, 3);
  EXPECT_THAT(last_shown, AllOf(HasSubstr("kps-a"), HasSubstr("channel a")));
}

TEST_F(JetStreamPublishTest, WithoutJetStreamOnTheServerBothSidesSaySoAndTryAgain) {
  Start("");
  Connect();
  auto publisher = Open("a");
  const auto refused = publisher->Publish("x");
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("JetStream: cannot find the stream of channel a: it is not enabled"));
  EXPECT_EQ(publisher->AwaitConfirmed(1, milliseconds(0)).code(), Code::kDeadlineExceeded);
  const auto subscription = transport_->Subscribe("a", "s");
  ASSERT_FALSE(subscription.ok());
  EXPECT_THAT(subscription.error().ToString(), AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("--delivery core")));
  server_->Stop();
  server_->Configure(JetStreamConfig());
  server_->Start();
  EXPECT_TRUE(EventuallyConfirmed(publisher.get(), "x"));
}

TEST_F(JetStreamPublishTest, AUserWithoutThePermissionIsTold) {
  Start(JetStreamConfig() +
        "\nauthorization { users: [{user: u, password: secret, permissions: {publish: {deny: \"$JS.API.>\"}}}] }");
  NatsOptions options{"nats://u:secret@127.0.0.1:" + std::to_string(server_->port()), "test"};
  options.jetstream.emplace();
  transport_ = ConnectTo(std::move(options), &logger_);
  const auto refused = Open("a")->Publish("x");
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("$JS.API.>"), HasSubstr("does not permit to publish to $JS.API.STREAM.NAMES"),
                    Not(HasSubstr("secret"))));
}

TEST_F(JetStreamPublishTest, AStreamThatDoesNotAnswerIsALossInTime) {
  Start();
  JetStreamOptions options;
  options.confirm_timeout = milliseconds(200);
  Connect(options);
  auto publisher = Open("a");
  EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("x")), kDeadline).ok());
  RawNats raw(server_->url());
  raw.Subscribe("a");  // in the place of the stream, so that somebody is there and says nothing
  raw.Call("STREAM.DELETE.kps-a");
  const Error lost = publisher->AwaitConfirmed(Must(publisher->Publish("x")), kDeadline);
  EXPECT_EQ(lost.code(), Code::kAborted);
  EXPECT_THAT(lost.message(), HasSubstr("the stream kps-a of channel a does not answer"));
  EXPECT_EQ(publisher->Confirmed(), 1u);
}

TEST_F(JetStreamPublishTest, AChannelThatTheServerDoesNotPermitIsRefusedAtOnceAndStaysSo) {
  Start(JetStreamConfig() +
        "\nauthorization { users: [{user: u, password: p, permissions: {publish: {deny: \"no\"}}}] }");
  NatsOptions options{"nats://u:p@127.0.0.1:" + std::to_string(server_->port()), "test"};
  options.jetstream.emplace();
  transport_ = ConnectTo(std::move(options), &logger_);
  auto refused = Open("no");
  auto permitted = Open("yes");
  Must(refused->Publish("x"));
  const auto start = std::chrono::steady_clock::now();
  const Error error = refused->AwaitConfirmed(1, kDeadline);
  EXPECT_LT(std::chrono::steady_clock::now() - start, JetStreamOptions().confirm_timeout / 2);
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_THAT(error.message(), HasSubstr("does not permit to publish to no: give this user the permission"));
  EXPECT_EQ(refused->Publish("x").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(refused->Confirmed(), 0u);
  EXPECT_TRUE(permitted->AwaitConfirmed(Must(permitted->Publish("x")), kDeadline).ok());
  EXPECT_TRUE(Open("no")->Publish("x").ok());  // it may be permitted by now
}

TEST_F(JetStreamPublishTest, WhatIsNotPermittedElsewhereIsNotTheReasonOfAnotherError) {
  Start(JetStreamConfig() +
        "\nauthorization { users: [{user: u, password: p, permissions: {publish: {deny: \"no\"}}}] }");
  NatsOptions options{"nats://u:p@127.0.0.1:" + std::to_string(server_->port()), "test"};
  options.jetstream.emplace().create_streams = false;
  transport_ = ConnectTo(std::move(options), &logger_);
  auto subscription = transport_->Subscribe("a", "s");
  const Error before = subscription.error();
  RawNats raw("nats://u:p@127.0.0.1:" + std::to_string(server_->port()));
  raw.CreateStream("one", "\"no\"");
  auto refused = Open("no");
  Must(refused->Publish("x"));
  EXPECT_EQ(refused->AwaitConfirmed(1, kDeadline).code(), Code::kPermissionDenied);
  EXPECT_EQ(transport_->Subscribe("a", "s").error().message(), before.message());
  server_->Stop();
  ASSERT_TRUE(Eventually([&] { return !transport_->Connected(); }));
  EXPECT_THAT(transport_->DisconnectReason(), Not(HasSubstr("Permissions")));
}

TEST_F(JetStreamPublishTest, AStreamThatIsThereIsUsedWhateverItsName) {
  Start();
  RawNats raw(server_->url());
  raw.CreateStream("everything", "\"a.>\",\"b\"");
  JetStreamOptions options;
  options.create_streams = false;
  Connect(options);
  for (const char* channel : {"a.b", "a.c.d", "b"}) {
    auto publisher = Open(channel);
    EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("x")), kDeadline).ok()) << channel;
  }
  EXPECT_THAT(raw.Call("STREAM.INFO.everything"), HasSubstr("\"messages\":3"));
  const auto refused = Open("c")->Publish("x");
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("there is none, and this host may not create one"));
}

TEST_F(JetStreamPublishTest, AStreamThatConfirmsNothingIsRefused) {
  Start();
  RawNats(server_->url()).CreateStream("mute", "\"a\"", ",\"no_ack\":true");
  Connect();
  EXPECT_THAT(Open("a")->Publish("x").error().message(), HasSubstr("no_ack"));
}

TEST_F(JetStreamPublishTest, AStreamThatCannotBeCreatedSaysWhy) {
  Start();
  JetStreamOptions options;
  options.replicas = 3;
  Connect(options);
  EXPECT_THAT(Open("a")->Publish("x").error().message(),
              AllOf(HasSubstr("cannot create the stream kps-a for channel a"), HasSubstr("replicas > 1")));
}

TEST_F(JetStreamPublishTest, WhatAConfirmSurvivesIsSaidInASentence) {
  Start();
  JetStreamOptions memory;
  memory.memory_storage = true;
  Connect(memory);
  EXPECT_EQ(transport_->Durability("m"), "");
  Must(Open("m")->Publish("x"));
  EXPECT_THAT(transport_->Durability("m"),
              AllOf(HasSubstr("kps-m, memory storage, 1 replica"), HasSubstr("no stop of")));
  Connect();
  Must(Open("f")->Publish("x"));
  EXPECT_THAT(transport_->Durability("f"),
              AllOf(HasSubstr("kps-f, file storage, 1 replica"), HasSubstr("power failure")));
}

TEST_F(JetStreamPublishTest, TheStreamIsMadeAsTheOptionsSay) {
  Start();
  JetStreamOptions options;
  options.stream_prefix = "p.q";
  options.bytes_max = 123'456;
  options.age_max = std::chrono::seconds(60);
  options.duplicate_window = std::chrono::seconds(600);
  Connect(options);
  auto publisher = Open("a.b");
  EXPECT_TRUE(publisher->AwaitConfirmed(Must(publisher->Publish("x")), kDeadline).ok());
  EXPECT_THAT(RawNats(server_->url()).Call("STREAM.INFO.p=q-a=b"),
              AllOf(HasSubstr("\"max_bytes\":123456"), HasSubstr("\"max_age\":60000000000"),
                    HasSubstr("\"duplicate_window\":60000000000"), HasSubstr("\"discard\":\"new\"")));
}

}  // namespace
}  // namespace kps::test
