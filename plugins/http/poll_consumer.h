// Asks a server every now and then: a message is a body that is another than the one before.
#ifndef KPS_PLUGINS_HTTP_POLL_CONSUMER_H
#define KPS_PLUGINS_HTTP_POLL_CONSUMER_H

#include <kps/plugin.hpp>
#include <string>

#include "http_client.h"
#include "http_settings.h"
#include "poll_place.h"

namespace kps::plugins {

class PollConsumer : public plugin::Consumer {
 public:
  PollConsumer(const plugin::Stream& stream, PollSettings settings, const std::string& position);

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  using Clock = HttpClient::Clock;

  void ask();
  void take(Answer answer, plugin::Batch& batch);

  const std::chrono::milliseconds interval_;
  const int wake_fd_;
  HttpClient client_;
  PollPlace place_;
  Clock::time_point due_ = Clock::now();
};

}  // namespace kps::plugins

#endif
