#include "webhook_consumer.h"

namespace kps::plugins {
namespace {

// Of bodies that wait to be taken, and of those that are being received.
constexpr uint64_t kHeldBytesMax = 64u << 20;
static_assert(kHeldBytesMax >= kBodyBytesMax, "one body of any size that is allowed has room");

}  // namespace

WebhookConsumer::WebhookConsumer(const plugin::Host& host, const plugin::Stream& stream,
                                 const WebhookSettings& settings)
    : wake_fd_(stream.wake_fd),
      waiting_(settings.waiting_max, kHeldBytesMax, settings.answer_timeout),
      server_(settings, &waiting_) {
  const std::string scheme = settings.certificate.empty() ? "http://" : "https://";
  // An address has no character that JSON would want escaped; a path may have one, and is the operator's own.
  host.set_status(stream.id, "webhookListens", "listens at " + scheme + server_.address() + settings.path,
                  KPS_STATE_PROVISIONED, "{\"address\":\"" + server_.address() + "\"}");
}

// Before the server ends, so that it can tell those that wait.
WebhookConsumer::~WebhookConsumer() { waiting_.close(); }

void WebhookConsumer::next(plugin::Batch& batch, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    waiting_.take(batch, taken_);
    if (!batch.empty()) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    if (plugin::wait_for(waiting_.filled_fd(), POLLIN, wake_fd_, left) == plugin::Wait::kWoken) return;
  }
  for (const WebhookWaiting::Taken& taken : taken_) unsafe_.push_back({batch.token(), taken.number});
}

void WebhookConsumer::ack(uint64_t token) {
  for (; !unsafe_.empty() && unsafe_.front().token <= token; unsafe_.pop_front()) {
    waiting_.confirm(unsafe_.front().number);
  }
}

}  // namespace kps::plugins
