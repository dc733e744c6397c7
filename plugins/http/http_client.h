// One request at a time to one server, over a connection that is kept.
#ifndef KPS_PLUGINS_HTTP_HTTP_CLIENT_H
#define KPS_PLUGINS_HTTP_HTTP_CLIENT_H

#include <curl/curl.h>

#include <chrono>
#include <kps/plugin.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http_answer.h"
#include "http_settings.h"

namespace kps::plugins {

// libcurl, made ready; threads may do so at the same time. It is never cleaned up: libcurl counts who has made it
// ready, but others in the process may have left that to their first request, and would lose what they use. It costs no
// memory.
void prepare_curl();

// What an answer may hold at most: a longer one is cut, or is a failure.
struct AnswerLimit {
  size_t bytes = 4096;
  bool cut = true;
};

// Of one thread. A request goes on between two calls of await, however long the caller is away.
class HttpClient {
 public:
  using Clock = std::chrono::steady_clock;

  // wake_fd: ends await when it is readable; -1: none.
  HttpClient(ClientSettings settings, AnswerLimit limit, int wake_fd);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  // Ends what libcurl has running for it. A look-up of a name is waited for: it cannot be ended, and its thread must
  // not outlive the library.
  ~HttpClient();

  // `method` GET has no body. `headers`: "Name: value", beside those of the settings.
  void start(const std::string& method, std::string body, const std::vector<std::string>& headers);
  bool busy() const { return busy_; }
  const std::string& body() const { return body_; }  // of the request that was started last
  void abandon();

  // Empty: the deadline has passed or the host wakes the stream, and the request goes on. Throws Failure when there is
  // no answer: DEADLINE_EXCEEDED, UNAVAILABLE, or FAILED_PRECONDITION where certificates do not fit.
  std::optional<Answer> await(Clock::time_point deadline);

  // For texts: "POST http://host/path".
  std::string what() const { return method_ + " " + settings_.shown_url; }
  const std::string& secret() const;

 private:
  struct FreeHeaders {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };

  static size_t on_body(char* data, size_t size, size_t count, void* self);
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  template <typename Value>
  void set(CURLoption option, Value value);
  void set_fixed_options();
  std::optional<Answer> result();
  [[noreturn]] void fail(CURLcode code) const;

  const ClientSettings settings_;
  const AnswerLimit limit_;
  const int wake_fd_;
  std::string method_;
  std::string body_;
  Answer answer_;
  bool too_long_ = false;
  bool busy_ = false;
  char error_[CURL_ERROR_SIZE] = "";
  std::unique_ptr<curl_slist, FreeHeaders> headers_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, FreeEasy> easy_;  // in multi_ while busy_
};

}  // namespace kps::plugins

#endif
