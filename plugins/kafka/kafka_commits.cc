#include "kafka_commits.h"

#include <algorithm>

#include "kafka_errors.h"

namespace kps::plugins {
namespace {

// After a commit that failed: its coordinator may just move, and the next acknowledgement carries more.
constexpr std::chrono::milliseconds kRetry{200};

bool permanent(rd_kafka_resp_err_t error) {
  const kps_code code = code_of_kafka(error);
  return code == KPS_UNAUTHENTICATED || code == KPS_PERMISSION_DENIED || code == KPS_NOT_FOUND ||
         code == KPS_FAILED_PRECONDITION || code == KPS_UNIMPLEMENTED;
}

}  // namespace

void KafkaCommits::open() {
  queue_.reset(rd_kafka_queue_new(client_->handle()));
  client_->watch(queue_.get());
}

void KafkaCommits::confirm(int32_t partition, int64_t offset) {
  int64_t& confirmed = confirmed_.try_emplace(partition, offset).first->second;
  confirmed = std::max(confirmed, offset);
}

bool KafkaCommits::has(int32_t partition, int64_t offset) const {
  const auto found = committed_.find(partition);
  return found != committed_.end() && found->second >= offset;
}

KafkaPointer<rd_kafka_topic_partition_list_t> KafkaCommits::uncommitted() const {
  KafkaPointer<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(4));
  for (const auto& [partition, committed] : committed_) {
    const auto confirmed = confirmed_.find(partition);
    if (confirmed == confirmed_.end() || confirmed->second <= committed) continue;
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = confirmed->second;
  }
  return list;
}

void KafkaCommits::serve() {
  if (!queue_) return;
  rd_kafka_queue_poll_callback(queue_.get(), 0);
  if (on_its_way_ || (retry_at_ != KafkaClient::Clock::time_point::max() && KafkaClient::Clock::now() < retry_at_)) {
    return;
  }
  retry_at_ = KafkaClient::Clock::time_point::max();
  const auto list = uncommitted();
  if (list->cnt == 0) return;
  on_its_way_ = true;
  const rd_kafka_resp_err_t error =
      rd_kafka_commit_queue(client_->handle(), list.get(), queue_.get(), &KafkaCommits::on_commit, this);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) settle(error, nullptr);
}

void KafkaCommits::on_commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
                             void* self) {
  static_cast<KafkaCommits*>(self)->settle(error, offsets);
}

void KafkaCommits::settle(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets) {
  on_its_way_ = false;
  for (int i = 0; offsets != nullptr && i < offsets->cnt; ++i) {
    const rd_kafka_topic_partition_t& done = offsets->elems[i];
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = done.err;
    const auto committed = committed_.find(done.partition);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || committed == committed_.end()) continue;
    committed->second = std::max(committed->second, done.offset);
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  if (permanent(error)) client_->fail_later(kafka_failure(error, client_->where() + ": commit offsets of the group"));
  retry_at_ = KafkaClient::Clock::now() + kRetry;
}

void KafkaCommits::finish(KafkaClient::Clock::time_point deadline) {
  for (;;) {
    serve();
    if (!on_its_way_ && uncommitted()->cnt == 0) return;
    const auto now = KafkaClient::Clock::now();
    if (now >= deadline) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min(deadline, retry_at_) - now);
    rd_kafka_queue_poll_callback(queue_.get(), std::max(1, static_cast<int>(left.count())));
  }
}

}  // namespace kps::plugins
