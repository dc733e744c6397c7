// Sends messages to a server: a request each, or several in one.
#ifndef KPS_PLUGINS_HTTP_HTTP_PRODUCER_H
#define KPS_PLUGINS_HTTP_HTTP_PRODUCER_H

#include <kps/plugin.hpp>
#include <string>

#include "http_client.h"
#include "http_settings.h"

namespace kps::plugins {

// A message counts as taken when the server has answered 2xx for it, so there is nothing to flush.
class HttpProducer : public plugin::Producer {
 public:
  HttpProducer(ProduceSettings settings, int wake_fd);

  void produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) override;

 private:
  size_t batch_messages_max() const { return alone_ > 0 ? 1 : settings_.batch_messages_max; }
  void send(const plugin::Messages& messages, size_t first);
  bool goes_on_with(const plugin::Messages& messages, size_t first) const;
  void settle(const Answer& answer, size_t& taken);

  const ProduceSettings settings_;
  HttpClient client_;
  size_t sent_ = 0;   // messages of the request in flight
  size_t alone_ = 0;  // so many messages go by themselves, as one of them was refused
};

}  // namespace kps::plugins

#endif
