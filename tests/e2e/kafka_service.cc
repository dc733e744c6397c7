#include "tests/e2e/data_service.h"
#include "tests/plugins/kafka_server.h"

namespace kps::test {
namespace {

class KafkaService : public DataService {
 public:
  KafkaService() {
    server_.create("read");
    server_.create("written");
  }

  std::string plugin() const override { return "kafka"; }
  std::string IngressMetadata() const override { return Metadata("read", R"("partitions": "0")"); }
  std::string EgressMetadata() const override { return Metadata("written", R"("key": "one")"); }
  void Send(const std::vector<std::string>& payloads) override { server_.send("read", 0, payloads); }
  std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) override {
    return server_.content("written", 0, count, static_cast<int>(std::chrono::milliseconds(deadline).count()));
  }
  void Stop() override { server_.stop(); }
  void Start() override { server_.start(); }

 private:
  std::string Metadata(const std::string& topic, const std::string& more) const {
    return R"({"brokers": ")" + server_.brokers() + R"(", "topic": ")" + topic + "\", " + more + "}";
  }

  testing::KafkaServer server_;
};

}  // namespace

std::unique_ptr<DataService> MakeKafkaService() { return std::make_unique<KafkaService>(); }

}  // namespace kps::test
