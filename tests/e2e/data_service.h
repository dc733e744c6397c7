// A data service that a connector reads from or writes to: a real server, and the two ends of a test.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace kps::test {

class DataService {
 public:
  virtual ~DataService() = default;

  virtual std::string plugin() const = 0;
  // The metadata of the stream that reads what Send sends, and of the one whose messages are Received.
  virtual std::string IngressMetadata() const = 0;
  virtual std::string EgressMetadata() const = 0;
  // Returns when the service has them all.
  virtual void Send(const std::vector<std::string>& payloads) = 0;
  // In the order in which they came; returns when there are `count`, or at the deadline.
  virtual std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) = 0;
};

#ifdef KPS_WITH_MQTT
std::unique_ptr<DataService> MakeMqttService();
#endif
#ifdef KPS_WITH_KAFKA
std::unique_ptr<DataService> MakeKafkaService();
#endif
#ifdef KPS_WITH_HTTP
std::unique_ptr<DataService> MakeHttpService();
#endif

}  // namespace kps::test
