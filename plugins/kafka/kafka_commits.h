// The offsets that a group has to remember: one commit at a time is on its way, and the newest follows it.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_COMMITS_H
#define KPS_PLUGINS_KAFKA_KAFKA_COMMITS_H

#include <cstdint>
#include <map>
#include <string>

#include "kafka_client.h"

namespace kps::plugins {

class KafkaCommits {
 public:
  KafkaCommits(KafkaClient* client, std::string topic) : client_(client), topic_(std::move(topic)) {}

  void open();

  // Everything before `offset` is safe in the transport. Never goes back.
  void confirm(int32_t partition, int64_t offset);
  // The partition is ours, and the group has `offset` for it (-1: it has none): what is not beyond it is not committed,
  // because another member may have gone on from there.
  void own(int32_t partition, int64_t offset) { committed_[partition] = offset; }
  bool owned(int32_t partition) const { return committed_.contains(partition); }
  bool has(int32_t partition, int64_t offset) const;
  void disown() { committed_.clear(); }
  void forget(int32_t partition) { confirmed_.erase(partition); }

  // Takes what came of the commit that was on its way, and sends the next where there is one. Does not wait.
  void serve();
  // Until all is committed, or the deadline.
  void finish(KafkaClient::Clock::time_point deadline);
  // When serve() should be called again at the latest.
  KafkaClient::Clock::time_point due() const { return retry_at_; }
  // The library's references to the queue go.
  void close() { queue_.reset(); }

 private:
  static void on_commit(rd_kafka_t* handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
                        void* self);
  void settle(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets);
  KafkaPointer<rd_kafka_topic_partition_list_t> uncommitted() const;

  KafkaClient* client_;
  const std::string topic_;
  KafkaPointer<rd_kafka_queue_t> queue_;
  std::map<int32_t, int64_t> confirmed_;
  std::map<int32_t, int64_t> committed_;  // of the partitions that are ours
  bool on_its_way_ = false;
  KafkaClient::Clock::time_point retry_at_ = KafkaClient::Clock::time_point::max();
};

}  // namespace kps::plugins

#endif
