// The HTTP server of a webhook.
#ifndef KPS_PLUGINS_HTTP_WEBHOOK_SERVER_H
#define KPS_PLUGINS_HTTP_WEBHOOK_SERVER_H

#include <microhttpd.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "http_settings.h"
#include "webhook_waiting.h"

namespace kps::plugins {

// Listens from its construction to its end, on a thread of its own.
class WebhookServer {
 public:
  // `waiting` outlives it. Throws Failure.
  WebhookServer(WebhookSettings settings, WebhookWaiting* waiting);
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;
  // `waiting` is to be closed before. Whoever has sent a request, or connected, is answered 503 first, as far as that
  // takes no longer than a moment.
  ~WebhookServer();

  const std::string& address() const { return address_; }  // with the port that it has

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char* version, const char* data, size_t* size, void** slot);
  static void on_completed(void* self, MHD_Connection* connection, void** slot, MHD_RequestTerminationCode code);
  static void on_connection(void* self, MHD_Connection* connection, void** link, MHD_ConnectionNotificationCode code);
  static void on_log(void* self, const char* format, va_list arguments) __attribute__((format(printf, 2, 0)));

  void start(int socket);
  unsigned refusal_of(MHD_Connection* connection, const char* path, const char* method) const;
  bool is_authorized(const char* header) const;
  MHD_Result begin(MHD_Connection* connection, const char* path, const char* method, void** slot);
  bool receive(Caller& caller, const char* data, size_t size);
  MHD_Result answer(MHD_Connection* connection, unsigned status) const;
  void count(int requests, int fresh);
  void hand_over_accepted(int socket);

  const WebhookSettings settings_;
  WebhookWaiting* const waiting_;
  std::string address_;
  std::string last_log_;  // while it starts
  MHD_Daemon* daemon_ = nullptr;

  std::mutex mutex_;
  std::condition_variable idle_;
  int requests_ = 0;  // under mutex_: begun and not answered
  int fresh_ = 0;     // under mutex_: connections without a request yet
};

}  // namespace kps::plugins

#endif
