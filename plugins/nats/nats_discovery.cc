#include "nats_discovery.h"

#include <optional>

#include "jetstream_api.h"
#include "nats_connection.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

constexpr char kDoing[] = "list the streams of JetStream";

std::unique_ptr<NatsConnection> connect_to_any(const NatsBroker& broker, NatsConnection::Clock::time_point deadline) {
  std::optional<Failure> failure;
  for (const NatsBroker::Server& server : broker.servers) {
    if (failure && NatsConnection::Clock::now() >= deadline) break;
    try {
      return std::make_unique<NatsConnection>(broker, server, "kps-connector, discovery", [](bool) {});
    } catch (const Failure& caught) {
      failure = caught;
    }
  }
  throw Failure(*failure);
}

}  // namespace

std::vector<DiscoveredSubject> discover_subjects(const NatsBroker& broker, std::chrono::milliseconds timeout) {
  const auto deadline = NatsConnection::Clock::now() + timeout;
  const auto connection = connect_to_any(broker, deadline);
  std::vector<DiscoveredSubject> found;
  for (uint64_t offset = 0, total = 1; offset < total;) {
    if (NatsConnection::Clock::now() >= deadline)
      throw Failure(KPS_DEADLINE_EXCEEDED, std::string(kDoing) + ": too slow");
    const rapidjson::Document answer =
        ask_jetstream(*connection, "STREAM.LIST", "{\"offset\":" + std::to_string(offset) + "}", kDoing);
    total = number_of(answer, "total");
    const bool page = answer.HasMember("streams") && answer["streams"].IsArray() && !answer["streams"].Empty();
    if (!page) break;
    offset += answer["streams"].Size();
    for (const auto& stream : answer["streams"].GetArray()) {
      const rapidjson::Value& config = object_of(stream, "config");
      for (const std::string& subject : texts_of(config, "subjects")) {
        if (!subject.starts_with('$')) found.push_back({text_of(config, "name"), subject});
      }
    }
  }
  return found;
}

}  // namespace kps::plugins
