// Every connector of a data service to every other one: read by one host, carried over a nats-server, written by
// another.
#include <gtest/gtest.h>

#include <random>

#include "tests/e2e/data_service.h"
#include "tests/e2e/host_process.h"
#include "tests/support/nats_server.h"

namespace kps::test {
namespace {

constexpr std::size_t kMessages = 10'000;
constexpr std::size_t kBytesMax = 256 * 1024;
constexpr std::chrono::seconds kArrival{60};

// Bytes of any kind. The first are the smallest and the largest; most are small, because librdkafka's mock of a server
// keeps no more than 5 MiB of a topic.
std::vector<std::string> RandomPayloads() {
  std::mt19937 random(1);
  std::vector<std::string> payloads;
  for (std::size_t i = 0; i < kMessages; ++i) {
    const std::size_t bytes_max = i % 500 == 0 ? 64 * 1024 : 512;
    const std::size_t size = i == 0 ? 0 : i == 1 ? kBytesMax : random() % (bytes_max + 1);
    std::string payload(size, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    payloads.push_back(std::move(payload));
  }
  return payloads;
}

class MatrixTest : public testing::TestWithParam<std::tuple<ServiceKind, ServiceKind>> {};

TEST_P(MatrixTest, WhatIsReadIsWrittenInOrder) {
  const NatsServer broker;
  const auto source = std::get<0>(GetParam()).make();
  const auto sink = std::get<1>(GetParam()).make();
  const TempFolder folder;
  const auto start = [&](const DataService& service, const char* direction, const std::string& metadata) {
    const std::string payloads =
        folder.Write(std::string(direction) + ".json", PayloadsJson({StreamJson("s", direction, "c", metadata)}));
    auto host = std::make_unique<HostProcess>(
        std::vector<std::string>{"--plugin", service.plugin(), "--transport", broker.url(), "--payloads", payloads});
    EXPECT_TRUE(host->WaitUntilListening());
    EXPECT_TRUE(host->WaitForRunning(1));
    EXPECT_TRUE(host->WaitForEvents("streamHealthy"));
    return host;
  };
  const auto writer = start(*sink, "EGRESS", sink->EgressMetadata());
  const auto reader = start(*source, "INGRESS", source->IngressMetadata());

  const auto sent = RandomPayloads();
  source->Send(sent);
  const auto received = sink->Received(sent.size(), kArrival);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
  EXPECT_EQ(reader->Stop(), 0);
  EXPECT_EQ(writer->Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Each, MatrixTest,
                         testing::Combine(testing::ValuesIn(kServiceKinds), testing::ValuesIn(kServiceKinds)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) + "To" + std::get<1>(info.param).name;
                         });

}  // namespace
}  // namespace kps::test
