// librdkafka's mock of a cluster, in a process of its own. It keeps 5 MiB of a partition.
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "tests/bench/child.h"
#include "tests/bench/plugins/service.h"
#include "tests/plugins/kafka_server.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

constexpr int kPartitions = 8;
constexpr char kPartitionList[] = "0-7";

void Require(rd_kafka_resp_err_t error) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

class Client {
 public:
  Client(rd_kafka_type_t type, const std::string& brokers) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [&](const char* name, const char* value) {
      char reason[512];
      if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        throw std::runtime_error(reason);
    };
    set("bootstrap.servers", brokers.c_str());
    if (type == RD_KAFKA_PRODUCER) {  // as the plugin
      set("enable.idempotence", "true");
      set("linger.ms", "2");
      set("partitioner", "murmur2_random");
    } else {
      set("group.id", "bare");
      set("enable.auto.commit", "false");
    }
    char reason[512];
    handle_ = rd_kafka_new(type, conf, reason, sizeof reason);
    if (handle_ == nullptr) throw std::runtime_error(reason);
  }
  ~Client() { rd_kafka_destroy(handle_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  rd_kafka_t* get() const { return handle_; }

  // `spread`: as much to each partition.
  void Produce(const char* topic, const Size& size, bool spread) {
    const std::string payload(size.bytes, 'x');
    for (std::size_t i = 0; i < size.messages; ++i) {
      for (;;) {
        const rd_kafka_resp_err_t error = rd_kafka_producev(
            handle_, RD_KAFKA_V_TOPIC(topic),
            RD_KAFKA_V_PARTITION(spread ? static_cast<int32_t>(i % kPartitions) : RD_KAFKA_PARTITION_UA),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) Require(error);
        rd_kafka_poll(handle_, 10);
      }
    }
    Require(rd_kafka_flush(handle_, 20'000));
  }

 private:
  rd_kafka_t* handle_ = nullptr;
};

class Kafka : public Service {
 public:
  Kafka()
      : server_("the cluster", [this] {
          testing::KafkaServer server;
          for (const char* topic : {"read", "written"}) server.create(topic, kPartitions);
          std::strncpy(address_->data(), server.brokers().c_str(), address_->size() - 1);
          ::pause();
        }) {
    if (!test::Eventually([this] { return address_->front() != '\0'; })) throw std::runtime_error("no cluster");
  }

  const char* plugin() const override { return "kafka"; }
  std::size_t IngressMessages() const override { return 300'000; }
  std::size_t EgressMessages() const override { return 300'000; }
  void Fill(const Size& size) override { Client(RD_KAFKA_PRODUCER, Brokers()).Produce("read", size, true); }
  std::string IngressMetadata() const override {
    return Metadata("read", std::string(R"(, "from": "start", "partitions": ")") + kPartitionList + '"');
  }
  std::string EgressMetadata() const override { return Metadata("written", ""); }
  void ReceiveBare(const Size& size, Stopwatch* stopwatch) override {
    stopwatch->Begin();
    const Client client(RD_KAFKA_CONSUMER, Brokers());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(kPartitions);
    for (int i = 0; i < kPartitions; ++i) {
      rd_kafka_topic_partition_list_add(list, "read", i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    Require(rd_kafka_assign(client.get(), list));
    rd_kafka_topic_partition_list_destroy(list);
    for (std::size_t received = 0; received < size.messages;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 1000);
      if (message == nullptr) continue;
      Require(message->err);
      ++received;
      rd_kafka_message_destroy(message);
    }
    stopwatch->End();
  }
  void SendBare(const Size& size, Stopwatch* stopwatch) override {
    Client client(RD_KAFKA_PRODUCER, Brokers());
    client.Produce("written", {1, size.bytes}, false);
    stopwatch->Begin();
    client.Produce("written", size, false);
    stopwatch->End();
  }

 private:
  std::string Brokers() const { return address_->data(); }
  std::string Metadata(const std::string& topic, const std::string& more) const {
    return R"({"brokers": ")" + Brokers() + R"(", "topic": ")" + topic + '"' + more + "}";
  }

  const Shared<std::array<char, 256>> address_;
  const Child server_;
};

}  // namespace

std::unique_ptr<Service> MakeKafka() { return std::make_unique<Kafka>(); }

}  // namespace kps::bench
