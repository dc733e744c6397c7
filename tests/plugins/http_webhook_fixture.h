// What the tests of webhooks share.
#ifndef KPS_TESTS_PLUGINS_HTTP_WEBHOOK_FIXTURE_H
#define KPS_TESTS_PLUGINS_HTTP_WEBHOOK_FIXTURE_H

#include <future>

#include "http_fixture.h"

namespace kps::testing {

class HttpWebhook : public Http {
 protected:
  static std::string metadata(const std::string& more = "", const std::string& listen = "127.0.0.1:0") {
    return "{\"listen\":\"" + listen + "\"" + more + "}";
  }
  // "127.0.0.1:PORT" of the status that the consumer has set last.
  std::string address() {
    const std::string json = plugin.statuses["webhookListens"].second;
    const size_t begin = json.find(":\"") + 2;
    return json.substr(begin, json.rfind('"') - begin);
  }
  std::string url(const std::string& path = "/") { return "http://" + address() + path; }
  std::future<HttpResult> send(const std::string& body, const std::string& method = "POST", const Lines& headers = {},
                               const std::string& path = "/") {
    return std::async(std::launch::async,
                      [to = url(path), body, method, headers] { return HttpSender(to).send(body, method, headers); });
  }
  static bool is_done(const std::future<HttpResult>& result) {
    return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
};

}  // namespace kps::testing

#endif
