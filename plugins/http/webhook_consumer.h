// A message is the body of a request that somebody sends to this host.
#ifndef KPS_PLUGINS_HTTP_WEBHOOK_CONSUMER_H
#define KPS_PLUGINS_HTTP_WEBHOOK_CONSUMER_H

#include <deque>
#include <kps/plugin.hpp>
#include <string>
#include <vector>

#include "http_settings.h"
#include "webhook_server.h"
#include "webhook_waiting.h"

namespace kps::plugins {

// It listens from its construction on. It gives no position: what is not acknowledged is sent again by its sender.
class WebhookConsumer : public plugin::Consumer {
 public:
  WebhookConsumer(const plugin::Host& host, const plugin::Stream& stream, const WebhookSettings& settings);
  ~WebhookConsumer() override;

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;
  void ack(uint64_t token) override;

 private:
  struct Unsafe {
    uint64_t token;
    uint64_t number;  // WebhookWaiting::Taken
  };

  const int wake_fd_;
  WebhookWaiting waiting_;
  WebhookServer server_;
  std::vector<WebhookWaiting::Taken> taken_;  // what the host still looks at
  std::deque<Unsafe> unsafe_;                 // tokens ascend
};

}  // namespace kps::plugins

#endif
