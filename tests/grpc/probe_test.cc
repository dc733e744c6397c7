// A health check, and what it may find at the address.
#include "host/grpc/probe.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connector/v1/connector.grpc.pb.h"
#include "tests/grpc/fixture.h"

namespace kps::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kLong{20'000};

std::string Complaint(const std::string& listen, std::chrono::milliseconds timeout = kLong) {
  const auto ready = Probe(listen, timeout);
  return ready.ok() ? "ready" : ready.error().message();
}

std::string PortOf(const Fixture& fixture) { return fixture.address().substr(fixture.address().rfind(':')); }

// An address of this test's own, where nobody listens.
class Port {
 public:
  Port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { ::close(fd_); }
  const std::string& address() const { return address_; }
  void ListenAndSayNothing() const { EXPECT_EQ(::listen(fd_, 1), 0); }

 private:
  const int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string address_;
};

TEST(ProbeTest, FollowsTheTransport) {
  Fixture fixture({.connected = false});
  const std::string address = fixture.address();
  EXPECT_THAT(Complaint(address),
              AllOf(HasSubstr("the host at " + address + " is not ready"), HasSubstr("transport is not connected")));
  fixture.Connect(true);
  const auto ready = Probe(address, kLong);
  ASSERT_TRUE(ready.ok()) << ready.error().message();
  EXPECT_EQ(ready.value(), address);
}

TEST(ProbeTest, AsksOnTheLoopbackWhatListensEverywhere) {
  Fixture fixture;
  for (const char* everywhere : {"0.0.0.0", ""}) {
    const auto ready = Probe(everywhere + PortOf(fixture), kLong);
    ASSERT_TRUE(ready.ok()) << ready.error().message();
    EXPECT_EQ(ready.value(), "127.0.0.1" + PortOf(fixture));
  }
  // The fixture listens with IPv4 alone.
  EXPECT_THAT(Complaint("[::]" + PortOf(fixture)), HasSubstr("no host can be reached at [::1]" + PortOf(fixture)));
}

TEST(ProbeTest, NobodyIsThere) {
  const Port port;
  EXPECT_THAT(Complaint(port.address()),
              AllOf(HasSubstr("no host can be reached at " + port.address()), HasSubstr("KPS_LISTEN")));
}

TEST(ProbeTest, SomebodyElseIsThere) {
  connector::v1::ConnectorService::Service other;  // without a health service
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&other);
  grpc::EnableDefaultHealthCheckService(false);
  const auto server = builder.BuildAndStart();
  grpc::EnableDefaultHealthCheckService(true);
  EXPECT_THAT(Complaint("127.0.0.1:" + std::to_string(port)), HasSubstr("is no kps-connector-host"));
}

TEST(ProbeTest, WhatHangsIsNotWaitedFor) {
  const Port port;
  port.ListenAndSayNothing();
  EXPECT_THAT(Complaint(port.address(), 100ms), HasSubstr("does not answer in time"));
}

TEST(ProbeTest, AddressesThatCannotBeAsked) {
  for (const char* wrong : {"8000", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"}) {
    EXPECT_THAT(Complaint(wrong), HasSubstr("is no address to listen on"));
  }
  EXPECT_THAT(Complaint("127.0.0.1:0"), HasSubstr("has no port to ask"));
}

}  // namespace
}  // namespace kps::test
