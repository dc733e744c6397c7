// A Kafka cluster on loopback, librdkafka's own mock: it speaks the protocol over TCP, keeps what it is given in
// memory, also while it is down, and manages groups. Written to and read by plain clients, not by the plugin.
#ifndef KPS_TESTS_PLUGINS_KAFKA_SERVER_H
#define KPS_TESTS_PLUGINS_KAFKA_SERVER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace kps::testing {

class KafkaServer {
 public:
  KafkaServer() : client_(client(RD_KAFKA_PRODUCER, "")), cluster_(rd_kafka_mock_cluster_new(client_, 1)) {
    if (cluster_ == nullptr) throw std::runtime_error("no mock cluster");
    brokers_ = rd_kafka_mock_cluster_bootstraps(cluster_);
  }
  KafkaServer(const KafkaServer&) = delete;
  KafkaServer& operator=(const KafkaServer&) = delete;
  ~KafkaServer() {
    if (sender_ != nullptr) rd_kafka_destroy(sender_);
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }

  const std::string& brokers() const { return brokers_; }
  rd_kafka_mock_cluster_t* cluster() const { return cluster_; }

  void create(const std::string& topic, int partitions = 1) {
    require(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1), "create");
  }
  void stop() { require(rd_kafka_mock_broker_set_down(cluster_, -1), "stop"); }
  void start() { require(rd_kafka_mock_broker_set_up(cluster_, -1), "start"); }
  void answer_after(std::chrono::milliseconds delay) {
    require(rd_kafka_mock_broker_set_rtt(cluster_, 1, static_cast<int>(delay.count())), "answer_after");
  }
  void refuse(const std::string& topic, rd_kafka_resp_err_t error) {
    rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), error);
  }

  // Returns when the server has them all.
  void send(const std::string& topic, int32_t partition, const std::vector<std::string>& payloads) {
    if (sender_ == nullptr) sender_ = client(RD_KAFKA_PRODUCER, brokers_);
    for (const std::string& payload : payloads) {
      const rd_kafka_resp_err_t error =
          rd_kafka_producev(sender_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
                            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_END);
      require(error, "send");
    }
    require(rd_kafka_flush(sender_, 20000), "send, flush");
  }

  // What a partition holds, from its first message on, up to `count` of them.
  std::vector<std::string> content(const std::string& topic, int32_t partition, size_t count, int deadline_ms = 20000) {
    rd_kafka_t* consumer = client(RD_KAFKA_CONSUMER, brokers_);
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    require(rd_kafka_assign(consumer, list), "assign");
    rd_kafka_topic_partition_list_destroy(list);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(deadline_ms);
    std::vector<std::string> payloads;
    while (payloads.size() < count && std::chrono::steady_clock::now() < deadline) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 100);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        payloads.emplace_back(static_cast<const char*>(message->payload), message->len);
        if (message->payload == nullptr) payloads.back() = "null";
      }
      rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(consumer);
    return payloads;
  }

  // -1001: none (RD_KAFKA_OFFSET_INVALID).
  int64_t committed(const std::string& group, const std::string& topic, int32_t partition) {
    rd_kafka_t* consumer = client(RD_KAFKA_CONSUMER, brokers_, group);
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    require(rd_kafka_committed(consumer, list, 20000), "committed");
    const int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
    return offset;
  }

 private:
  static void require(rd_kafka_resp_err_t error, const char* what) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw std::runtime_error(std::string("kafka server, ") + what + ": " + rd_kafka_err2str(error));
  }

  static rd_kafka_t* client(rd_kafka_type_t type, const std::string& brokers, const std::string& group = "reader") {
    char reason[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [&](const char* name, const std::string& value) {
      if (rd_kafka_conf_set(conf, name, value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK)
        throw std::runtime_error(reason);
    };
    if (!brokers.empty()) set("bootstrap.servers", brokers);
    set("reconnect.backoff.ms", "50");
    set("reconnect.backoff.max.ms", "500");
    if (type == RD_KAFKA_CONSUMER) set("group.id", group);
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    rd_kafka_t* made = rd_kafka_new(type, conf, reason, sizeof reason);
    if (made == nullptr) throw std::runtime_error(reason);
    return made;
  }

  rd_kafka_t* client_;
  rd_kafka_t* sender_ = nullptr;  // since the first send
  rd_kafka_mock_cluster_t* cluster_;
  std::string brokers_;
};

}  // namespace kps::testing

#endif
