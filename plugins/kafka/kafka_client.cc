#include "kafka_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "kafka_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

constexpr uint64_t kOne = 1;  // what an eventfd is written

int32_t level_of(int syslog_level) {
  if (syslog_level <= 3) return KPS_LOG_ERROR;
  if (syslog_level == 4) return KPS_LOG_WARN;
  return syslog_level <= 6 ? KPS_LOG_INFO : KPS_LOG_DEBUG;
}

bool transient(kps_code code) {
  return code == KPS_UNAVAILABLE || code == KPS_DEADLINE_EXCEEDED || code == KPS_RESOURCE_EXHAUSTED ||
         code == KPS_ABORTED || code == KPS_CANCELLED;
}

}  // namespace

KafkaClient::KafkaClient(const plugin::Host& host, const plugin::Stream& stream, const Cluster& cluster,
                         const std::string& topic)
    : host_(host),
      stream_id_(stream.id),
      brokers_(cluster.brokers),
      topic_name_(topic),
      wake_fd_(stream.wake_fd),
      event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_fd_ < 0) throw plugin::errno_failure(errno, "eventfd");
}

KafkaClient::~KafkaClient() {
  close(0);
  ::close(event_fd_);
}

void KafkaClient::close(int flags) {
  if (asker_.joinable()) asker_.join();
  topic_.reset();
  if (handle_ != nullptr) rd_kafka_destroy_flags(std::exchange(handle_, nullptr), flags);
}

void KafkaClient::open(rd_kafka_type_t type, Conf conf, void* owner) {
  owner_ = owner;
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), &KafkaClient::on_error);
  rd_kafka_conf_set_log_cb(conf.get(), &KafkaClient::on_log);
  char reason[512];
  handle_ = rd_kafka_new(type, conf.get(), reason, sizeof reason);
  if (handle_ == nullptr) {
    throw Failure(KPS_INVALID_ARGUMENT, "cannot make a client for " + where() + ": " + reason);
  }
  conf.release();
  topic_.reset(rd_kafka_topic_new(handle_, topic_name_.c_str(), nullptr));
  if (!topic_) throw kafka_failure(rd_kafka_last_error(), where());
  ask();
}

void KafkaClient::watch(rd_kafka_queue_t* queue) {
  rd_kafka_queue_io_event_enable(queue, event_fd_, &kOne, sizeof kOne);
}

void KafkaClient::ask() {
  answered_ = false;
  asker_ = std::thread([this] {
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_resp_err_t error = rd_kafka_metadata(handle_, 0, topic_.get(), &metadata, kAnswerMaxMs);
    const KafkaPointer<const rd_kafka_metadata_t> owned(metadata);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1) error = metadata->topics[0].err;
    answer_ = error;
    answered_ = true;
    (void)::eventfd_write(event_fd_, kOne);
  });
}

bool KafkaClient::asks() {
  if (!asker_.joinable()) return false;
  if (!answered_) return true;
  take_answer();
  return false;
}

void KafkaClient::take_answer() {
  asker_.join();
  const kps_code code = code_of_kafka(answer_);
  if (code != KPS_OK && !transient(code)) {
    fail_later(kafka_failure(answer_, where()));
  } else if (code != KPS_OK && answer_ != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
    away_ = true;
    if (answer_ != RD_KAFKA_RESP_ERR__TRANSPORT) reason_ = rd_kafka_err2str(answer_);
  } else {
    away_ = false;
  }
}

bool KafkaClient::away() {
  if (away_ && !asks() && away_ && !refused_) ask();
  return away_;
}

void KafkaClient::check() {
  const bool is_away = away();
  if (refused_) throw Failure(*refused_);
  if (passing_) {
    const Failure failure = *passing_;
    passing_.reset();
    throw failure;
  }
  if (is_away) throw Failure(KPS_UNAVAILABLE, where() + ": the cluster cannot be reached: " + reason_);
}

void KafkaClient::fail_later(Failure failure) {
  std::optional<Failure>& kept = transient(failure.code()) ? passing_ : refused_;
  if (!kept) kept.emplace(std::move(failure));
}

plugin::Wait KafkaClient::wait(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  const plugin::Wait wait = plugin::wait_for(event_fd_, POLLIN, wake_fd_, std::max(left, std::chrono::milliseconds(0)));
  eventfd_t drained;
  if (wait == plugin::Wait::kReady) (void)::eventfd_read(event_fd_, &drained);
  return wait;
}

// On the thread that polls.
void KafkaClient::on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque) {
  auto* self = static_cast<KafkaClient*>(opaque);
  auto code = static_cast<rd_kafka_resp_err_t>(error);
  char fatal[512];
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    code = rd_kafka_fatal_error(handle, fatal, sizeof fatal);
    self->fail_later(Failure(KPS_ABORTED, self->where() + ": the client has failed: " + fatal));
  } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    self->away_ = true;
  } else if (transient(code_of_kafka(code))) {
    self->reason_ = reason;
  } else {
    self->fail_later(kafka_failure(code, self->where(), reason));
  }
}

// On any thread of the library.
void KafkaClient::on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  const auto* self = static_cast<const KafkaClient*>(rd_kafka_opaque(handle));
  if (self != nullptr) self->host_.log(level_of(level), self->stream_id_, std::string(facility) + ": " + text);
}

}  // namespace kps::plugins
