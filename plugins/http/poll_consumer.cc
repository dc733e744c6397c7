#include "poll_consumer.h"

#include <algorithm>
#include <vector>

namespace kps::plugins {

PollConsumer::PollConsumer(const plugin::Stream& stream, PollSettings settings, const std::string& position)
    : interval_(settings.interval),
      wake_fd_(stream.wake_fd),
      client_(settings.client, AnswerLimit{settings.body_bytes_max, false}, stream.wake_fd) {
  const std::string url_hash = hash_of(settings.client.url);
  if (!position.empty()) {
    const std::optional<PollPlace> left = PollPlace::parse(position);
    if (!left) {
      throw plugin::Failure(KPS_DATA_LOSS, "stream " + stream.id +
                                               ": the position is not that of a stream that polls, "
                                               "\"v1 HASH HASH\", ETag and Last-Modified in a line each");
    }
    if (left->url_hash == url_hash) place_ = *left;
  }
  place_.url_hash = url_hash;
}

void PollConsumer::next(plugin::Batch& batch, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (batch.empty()) {
    if (!client_.busy()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (plugin::wait_until(due_, wake_fd_, std::max(left, left.zero())) != plugin::Wait::kReady) return;
      ask();
    }
    std::optional<Answer> answer = client_.await(deadline);
    if (!answer) return;
    take(std::move(*answer), batch);
  }
}

void PollConsumer::ask() {
  std::vector<std::string> validators;
  if (!place_.etag.empty()) validators.push_back("If-None-Match: " + place_.etag);
  if (!place_.last_modified.empty()) validators.push_back("If-Modified-Since: " + place_.last_modified);
  client_.start("GET", "", validators);
}

void PollConsumer::take(Answer answer, plugin::Batch& batch) {
  constexpr long kNoContent = 204;
  constexpr long kNotModified = 304;
  if (!answer.good() && answer.status != kNotModified) {
    // A failure leaves it due: when to ask again is the host's to say.
    throw failure_of(answer, client_.what(), client_.secret(), KPS_FAILED_PRECONDITION);
  }
  due_ = Clock::now() + interval_;
  if (answer.status == kNotModified || answer.status == kNoContent) return;
  place_.etag = std::move(answer.etag);
  place_.last_modified = std::move(answer.last_modified);
  std::string hash = hash_of(answer.body);
  if (hash == place_.body_hash) return;
  place_.body_hash = std::move(hash);
  batch.add(answer.body);
  batch.set_position(place_.position());
}

}  // namespace kps::plugins
