// What the tests of JetStream subscriptions share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/nats_server.h"
#include "tests/transport/raw_nats.h"
#include "tests/transport/support.h"

namespace kps::test {

class JetStreamSubscriptionTest : public testing::Test {
 protected:
  void Connect(const JetStreamOptions& jetstream = {}, std::int64_t pending_bytes_max = 64 * 1024 * 1024) {
    transport_ = ConnectTo({server_.url(), "test", pending_bytes_max, jetstream}, &logger_);
  }
  void ConnectWithAckWait(std::chrono::milliseconds ack_wait) {
    JetStreamOptions options;
    options.ack_wait = ack_wait;
    Connect(options);
  }
  // As a user who may not publish to these subjects.
  void ConnectWithout(const std::string& subjects, std::chrono::milliseconds ack_wait = JetStreamOptions().ack_wait) {
    server_.Stop();
    server_.Configure(JetStreamConfig() +
                      "\nauthorization { users: [{user: u, password: p, permissions: {publish: {deny: \"" + subjects +
                      "\"}}}] }");
    server_.Start();
    NatsOptions options{"nats://u:p@127.0.0.1:" + std::to_string(server_.port()), "test"};
    options.jetstream.emplace().ack_wait = ack_wait;
    transport_ = ConnectTo(std::move(options), &logger_);
  }
  std::unique_ptr<Subscription> Subscribe(const std::string& name = "s", const std::string& channel = "a") {
    return Must(transport_->Subscribe(channel, name));
  }
  void PublishNumbers(int from, int to, const std::string& channel = "a", std::size_t padding = 0) {
    auto publisher = Must(transport_->OpenPublisher(channel));
    std::uint64_t ticket = 0;
    for (int i = from; i <= to; ++i) ticket = Must(publisher->Publish(std::to_string(i) + std::string(padding, ' ')));
    ASSERT_TRUE(publisher->AwaitConfirmed(ticket, kDeadline).ok());
  }
  static void ExpectNumbers(Subscription* subscription, int from, int to) {
    for (int i = from; i <= to; ++i) {
      const Delivery delivery = Must(subscription->Receive(kDeadline));
      ASSERT_EQ(std::stoi(std::string(delivery.envelope)), i);
    }
  }
  static void ExpectNothing(Subscription* subscription,
                            std::chrono::milliseconds during = std::chrono::milliseconds(100)) {
    EXPECT_EQ(subscription->Receive(during).error().code(), Code::kDeadlineExceeded);
  }
  // What the server has delivered to the subscriber and waits to be told about.
  int AckPending() { return Count("num_ack_pending"); }
  int Count(const std::string& what) {
    const std::string info = raw_.Call("CONSUMER.INFO.kps-a.+s+a");
    const std::string key = "\"" + what + "\":";
    return std::stoi(info.substr(info.find(key) + key.size()));
  }

  // As an operator does.
  void ChangeConsumer(const std::string& settings) {
    raw_.Call("CONSUMER.DURABLE.CREATE.kps-a.+s+a",
              R"({"stream_name":"kps-a","config":{"durable_name":"+s+a","ack_policy":"explicit","filter_subject":"a",)"
              R"("deliver_policy":"all","ack_wait":10000000000,"max_ack_pending":1000,)" +
                  settings + "}}");
  }

  NatsServer server_{JetStreamConfig()};
  RawNats raw_{server_.url()};
  RecordingLogger logger_;
  std::unique_ptr<Transport> transport_;
};

}  // namespace kps::test
