// A data service that a connector reads from or writes to: a real server, and the two ends of a test.
#pragma once

#include <chrono>
#include <memory>
#include <ostream>
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
  // Returns when the service has them all, also where it goes away meanwhile: some may have come twice then.
  virtual void Send(const std::vector<std::string>& payloads) = 0;
  // So many Sends at once, each on a thread of its own, carry more than 2,000 messages a second. Order is that of a
  // Send.
  virtual std::size_t SendersMin() const { return 1; }
  // What is interrupted and sent again.
  virtual std::size_t DoublesOfASwapMax() const { return 0; }
  // In the order in which they came; returns when there are `count`, or at the deadline.
  virtual std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) = 0;

  // The server ends, and what it has stays where it keeps it; and is back at the same address.
  virtual void Stop() = 0;
  virtual void Start() = 0;
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
#ifdef KPS_WITH_NATS
std::unique_ptr<DataService> MakeNatsService();
#endif

struct ServiceKind {
  const char* name;
  std::unique_ptr<DataService> (*make)();
};

// Those whose client library was there when this was built.
inline constexpr ServiceKind kServiceKinds[] = {
#ifdef KPS_WITH_MQTT
    {"mqtt", MakeMqttService},
#endif
#ifdef KPS_WITH_KAFKA
    {"kafka", MakeKafkaService},
#endif
#ifdef KPS_WITH_HTTP
    {"http", MakeHttpService},
#endif
#ifdef KPS_WITH_NATS
    {"nats", MakeNatsService},
#endif
};

inline std::ostream& operator<<(std::ostream& out, const ServiceKind& kind) { return out << kind.name; }

}  // namespace kps::test
