#include "kafka_discovery.h"

#include <algorithm>

#include "kafka_client.h"
#include "kafka_errors.h"

namespace kps::plugins {
namespace {

struct Seen {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason;
};

void remember_refusal(rd_kafka_t*, int error, const char* reason, void* opaque) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  auto* seen = static_cast<Seen*>(opaque);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || seen->error == RD_KAFKA_RESP_ERR__AUTHENTICATION) return;
  seen->error = code;
  seen->reason = reason;
}

struct DestroyHandle {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};

}  // namespace

std::vector<std::string> discover_topics(const Cluster& cluster, std::chrono::milliseconds timeout) {
  Seen seen;
  Conf conf(cluster);
  rd_kafka_conf_set_opaque(conf.get(), &seen);
  rd_kafka_conf_set_error_cb(conf.get(), &remember_refusal);
  // The error says it all: a line in the log for every connection that is tried does not help anybody.
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  char reason[512];
  const std::unique_ptr<rd_kafka_t, DestroyHandle> handle(
      rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason, sizeof reason));
  const std::string where = "topics of " + cluster.brokers;
  if (!handle) throw plugin::Failure(KPS_INVALID_ARGUMENT, where + ": " + reason);
  conf.release();
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(handle.get(), 1, nullptr, &metadata, std::max(1, static_cast<int>(timeout.count())));
  const KafkaPointer<const rd_kafka_metadata_t> owned(metadata);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_poll(handle.get(), 0);  // what it has to say of the reason
    throw kafka_failure(seen.error != RD_KAFKA_RESP_ERR_NO_ERROR ? seen.error : error, where, seen.reason);
  }
  std::vector<std::string> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    const std::string name = topic.topic;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && !name.starts_with("__")) topics.push_back(name);
  }
  std::sort(topics.begin(), topics.end());
  return topics;
}

}  // namespace kps::plugins
