#include "http_producer.h"

#include <algorithm>

#include "request_body.h"

namespace kps::plugins {

HttpProducer::HttpProducer(ProduceSettings settings, int wake_fd)
    : settings_(std::move(settings)), client_(settings_.client, AnswerLimit(), wake_fd) {}

void HttpProducer::produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) {
  const auto deadline = HttpClient::Clock::now() + timeout;
  while (taken < messages.size()) {
    if (!goes_on_with(messages, taken)) send(messages, taken);
    const std::optional<Answer> answer = client_.await(deadline);
    if (!answer) return;
    settle(*answer, taken);
  }
}

// Whether the request that an earlier call left in flight carries these messages: the host offers what was not taken
// again, and a slow server is not asked the same twice.
bool HttpProducer::goes_on_with(const plugin::Messages& messages, size_t first) const {
  if (!client_.busy() || sent_ > messages.size() - first) return false;
  const RequestBody body = body_of(messages, first, sent_, settings_.framing);
  return body.messages == sent_ && body.bytes == client_.body();
}

void HttpProducer::send(const plugin::Messages& messages, size_t first) {
  RequestBody body = body_of(messages, first, batch_messages_max(), settings_.framing);
  if (body.messages == 0) {
    if (alone_ > 0) --alone_;
    throw plugin::Failure(KPS_INVALID_ARGUMENT,
                          "the message of " + std::to_string(messages[first].size) +
                              " bytes is not JSON, which \"batch\" lines and array need: set \"batch\" to \"none\"");
  }
  sent_ = body.messages;
  client_.start(settings_.method, std::move(body.bytes), {"Content-Type: " + settings_.content_type});
}

void HttpProducer::settle(const Answer& answer, size_t& taken) {
  if (answer.good()) {
    taken += sent_;
    alone_ -= std::min(alone_, sent_);
    return;
  }
  if (answer.refuses_body() && sent_ > 1) {
    alone_ = sent_;
    return;
  }
  if (answer.refuses_body() && alone_ > 0) --alone_;
  throw failure_of(answer, client_.what(), client_.secret(), KPS_INVALID_ARGUMENT);
}

}  // namespace kps::plugins
