// One client of librdkafka: its handle, what it reports, and whether the cluster answers.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_CLIENT_H
#define KPS_PLUGINS_KAFKA_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "kafka_settings.h"

namespace kps::plugins {

struct KafkaDelete {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
template <typename Type>
using KafkaPointer = std::unique_ptr<Type, KafkaDelete>;

class KafkaClient {
 public:
  using Clock = std::chrono::steady_clock;

  // The owner's callbacks get its `opaque`; the client must not be asked in them before it is complete.
  KafkaClient(const plugin::Host& host, const plugin::Stream& stream, const Cluster& cluster, const std::string& topic);
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;
  ~KafkaClient();

  // Takes the configuration. Its error and log callbacks, and its opaque, are this object's; `owner` is for the
  // callbacks of the owner.
  void open(rd_kafka_type_t type, Conf conf, void* owner);
  void watch(rd_kafka_queue_t* queue);  // what comes to it ends wait()

  rd_kafka_t* handle() const { return handle_; }
  rd_kafka_topic_t* topic() const { return topic_.get(); }
  static void* owner_of(void* opaque) { return static_cast<KafkaClient*>(opaque)->owner_; }
  std::string where() const { return "topic " + topic_name_ + " at " + brokers_; }

  // Waits for the first answer of the cluster, while `serve` handles what the library reports; throws what is known to
  // be permanent by then. No answer is no failure yet: check() says so later.
  template <typename Serve>
  void await_first_answer(Serve serve) {
    const Clock::time_point deadline = Clock::now() + kFirstAnswerMax;
    for (;;) {
      serve();
      if (!asks() || Clock::now() >= deadline || refused_) return;
      if (wait(deadline) == plugin::Wait::kWoken) return;
    }
  }

  // Throws where the cluster has refused us, or is away. Asks it anew, where it was away.
  void check();
  bool away();

  plugin::Wait wait(Clock::time_point deadline);  // for what is watched, and the answer
  void fail_later(plugin::Failure failure);       // the next check() throws it; a permanent one stays

  // The rest of librdkafka's threads go; after it nothing is called.
  void close(int flags);

 private:
  static constexpr std::chrono::milliseconds kFirstAnswerMax{1500};
  static constexpr int kAnswerMaxMs = 1000;

  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque);
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  void ask();
  bool asks();  // whether the answer is still awaited; takes it when it is there
  void take_answer();

  const plugin::Host host_;
  const std::string stream_id_;
  const std::string brokers_;
  const std::string topic_name_;
  const int wake_fd_;
  int event_fd_;
  rd_kafka_t* handle_ = nullptr;
  KafkaPointer<rd_kafka_topic_t> topic_;
  void* owner_ = nullptr;
  std::string reason_ = "no answer yet";  // why it is away
  bool away_ = true;
  std::optional<plugin::Failure> refused_;
  std::optional<plugin::Failure> passing_;
  // rd_kafka_metadata only knows how to block: it has a thread, and never longer than kAnswerMaxMs.
  std::thread asker_;
  std::atomic<bool> answered_{false};
  rd_kafka_resp_err_t answer_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // of asker_, until answered_
};

}  // namespace kps::plugins

#endif
