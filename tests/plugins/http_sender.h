// A client of libcurl, for the tests of the plugin http: what calls a webhook.
#ifndef KPS_TESTS_PLUGINS_HTTP_SENDER_H
#define KPS_TESTS_PLUGINS_HTTP_SENDER_H

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace kps::testing {

// status 0: the connection failed, or ended without an answer.
struct HttpResult {
  long status = 0;
  std::string headers;
  std::string body;
};

// Keeps its connection, as a sender would.
class HttpSender {
 public:
  explicit HttpSender(std::string url, std::string ca_file = "") : url_(std::move(url)), ca_file_(std::move(ca_file)) {}

  HttpResult send(const std::string& body, const std::string& method = "POST",
                  const std::vector<std::string>& headers = {}) {
    CURL* curl = curl_.get();
    HttpResult result;
    curl_slist* list = nullptr;
    for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    if (!ca_file_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file_.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &HttpSender::append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &result.body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &HttpSender::append);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &result.headers);
    if (curl_easy_perform(curl) == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result.status);
    curl_slist_free_all(list);
    return result;
  }

 private:
  static size_t append(char* data, size_t size, size_t count, void* text) {
    static_cast<std::string*>(text)->append(data, size * count);
    return size * count;
  }

  std::string url_;
  std::string ca_file_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_{curl_easy_init(), curl_easy_cleanup};
};

}  // namespace kps::testing

#endif
