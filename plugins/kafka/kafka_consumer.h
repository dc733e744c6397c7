// Reads one topic: as a member of a consumer group, or partitions that are given.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_CONSUMER_H
#define KPS_PLUGINS_KAFKA_KAFKA_CONSUMER_H

#include <deque>
#include <kps/plugin.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kafka_client.h"
#include "kafka_commits.h"
#include "kafka_place.h"
#include "kafka_settings.h"

namespace kps::plugins {

class KafkaConsumer : public plugin::Consumer {
 public:
  KafkaConsumer(const plugin::Host& host, const plugin::Stream& stream, ConsumeSettings settings,
                const std::string& position);
  ~KafkaConsumer() override;

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;
  void ack(uint64_t token) override;

 private:
  using Clock = KafkaClient::Clock;
  struct Partition {
    // Where it is read from as long as nothing of it has come: an offset or a logical one of librdkafka.
    int64_t from = RD_KAFKA_OFFSET_INVALID;
    int64_t next = -1;         // the offset that follows; -1: nothing has come, and where it starts is not known
    bool uncommitted = false;  // the group has no offset for it
  };
  struct Unacked {
    uint64_t token;
    std::vector<std::pair<int32_t, int64_t>> next;
  };

  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* list,
                           void* opaque);
  void resume(const std::string& position);
  void take_assigned(const rd_kafka_topic_partition_list_t* list);
  void give_back();
  void leave_group();
  void start_partitions();
  bool poll_one();
  void take_message(KafkaPointer<rd_kafka_message_t> message);
  void take_event(const rd_kafka_message_t& event);
  void take_end(int32_t partition, int64_t offset);
  void take_reset(const rd_kafka_message_t& event);
  void note_start(int32_t number, Partition* partition, int64_t offset);
  bool looks_for_starts() const;
  void fill(plugin::Batch& batch);
  void finish_batch(plugin::Batch& batch);

  const plugin::Host host_;
  const std::string stream_id_;
  const ConsumeSettings settings_;
  const KafkaIds ids_;
  KafkaPlace place_;
  std::map<int32_t, Partition> partitions_;  // those that are read
  bool restart_ = false;                     // the client has to be told anew where to read
  std::deque<Unacked> unacked_;
  KafkaClient client_;
  KafkaCommits commits_;
  KafkaPointer<rd_kafka_message_t> held_;                   // has come, and did not fit any more
  std::vector<KafkaPointer<rd_kafka_message_t>> borrowed_;  // the payloads of the batch that the host looks at
};

}  // namespace kps::plugins

#endif
