#include "http_client.h"

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t kRetryAfterSecondsMax = KPS_RETRY_AFTER_MS_MAX / 1000;

// Whether it needs a person: what is wrong stands in the settings, or in a certificate.
bool is_about_certificates(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return true;
    default: return false;
  }
}

bool take_header(std::string_view line, std::string_view name, std::string* value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  if (strncasecmp(line.data(), name.data(), name.size()) != 0) return false;
  line.remove_prefix(name.size() + 1);
  const size_t begin = line.find_first_not_of(" \t\r\n");
  const size_t end = line.find_last_not_of(" \t\r\n");
  *value = begin == std::string_view::npos ? "" : std::string(line.substr(begin, end - begin + 1));
  return true;
}

}  // namespace

void prepare_curl() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw plugin::Failure(KPS_INTERNAL, "libcurl cannot be used");
}

HttpClient::HttpClient(ClientSettings settings, AnswerLimit limit, int wake_fd)
    : settings_(std::move(settings)),
      limit_(limit),
      wake_fd_(wake_fd),
      multi_(curl_multi_init()),
      easy_(curl_easy_init()) {
  if (!multi_ || !easy_) throw std::bad_alloc();
  set_fixed_options();
}

HttpClient::~HttpClient() { abandon(); }

const std::string& HttpClient::secret() const {
  return settings_.token.empty() ? settings_.credentials.password : settings_.token;
}

template <typename Value>
void HttpClient::set(CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
  if (code != CURLE_OK) {
    throw plugin::Failure(KPS_INTERNAL,
                          "libcurl refuses option " + std::to_string(option) + ": " + curl_easy_strerror(code));
  }
}

void HttpClient::set_fixed_options() {
  set(CURLOPT_URL, settings_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_USERAGENT, "kps-connector-http/0.1");
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_WRITEFUNCTION, &HttpClient::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &HttpClient::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_SSL_VERIFYPEER, settings_.tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, settings_.tls.verify ? 2L : 0L);
  if (!settings_.tls.ca_file.empty()) set(CURLOPT_CAINFO, settings_.tls.ca_file.c_str());
  if (!settings_.tls.cert_file.empty()) {
    set(CURLOPT_SSLCERT, settings_.tls.cert_file.c_str());
    set(CURLOPT_SSLKEY, settings_.tls.key_file.c_str());
  }
  if (!settings_.credentials.username.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, settings_.credentials.username.c_str());
    set(CURLOPT_PASSWORD, settings_.credentials.password.c_str());
  }
}

void HttpClient::start(const std::string& method, std::string body, const std::vector<std::string>& headers) {
  abandon();
  method_ = method;
  body_ = std::move(body);
  answer_ = Answer();
  too_long_ = false;
  error_[0] = '\0';
  headers_.reset();
  const auto add = [&](const std::string& header) {
    curl_slist* longer = curl_slist_append(headers_.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  };
  // Without it a large body waits a second for a server that does not know "100 Continue".
  add("Expect:");
  for (const std::string& header : settings_.headers) add(header);
  for (const std::string& header : headers) add(header);
  if (!settings_.token.empty()) add("Authorization: Bearer " + settings_.token);
  set(CURLOPT_HTTPHEADER, headers_.get());
  if (method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    set(CURLOPT_POSTFIELDS, body_.data());
  }
  if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) throw std::bad_alloc();
  busy_ = true;
}

void HttpClient::abandon() {
  if (busy_) curl_multi_remove_handle(multi_.get(), easy_.get());
  busy_ = false;
}

std::optional<Answer> HttpClient::await(Clock::time_point deadline) {
  while (busy_) {
    int running = 0;
    const CURLMcode code = curl_multi_perform(multi_.get(), &running);
    if (code != CURLM_OK) throw plugin::Failure(KPS_UNAVAILABLE, what() + ": " + curl_multi_strerror(code));
    if (std::optional<Answer> answer = result()) return answer;

    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return std::nullopt;
    curl_waitfd wake{wake_fd_, CURL_WAIT_POLLIN, 0};
    const int wait_ms = static_cast<int>(std::min<long long>(left, std::numeric_limits<int>::max()));
    const CURLMcode polled = curl_multi_poll(multi_.get(), &wake, wake_fd_ < 0 ? 0 : 1, wait_ms, nullptr);
    if (polled != CURLM_OK) throw plugin::Failure(KPS_UNAVAILABLE, what() + ": " + curl_multi_strerror(polled));
    if (wake.revents != 0) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Answer> HttpClient::result() {
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
  if (message == nullptr || message->msg != CURLMSG_DONE) return std::nullopt;
  const CURLcode code = message->data.result;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after_s);
  abandon();
  if (code != CURLE_OK) fail(code);
  answer_.retry_after_ms =
      static_cast<uint32_t>(std::clamp<curl_off_t>(retry_after_s, 0, kRetryAfterSecondsMax)) * 1000;
  return std::move(answer_);
}

void HttpClient::fail(CURLcode code) const {
  const std::string why = *error_ != '\0' ? error_ : curl_easy_strerror(code);
  if (too_long_) {
    throw plugin::Failure(
        KPS_RESOURCE_EXHAUSTED,
        what() + ": the answer has more than " + std::to_string(limit_.bytes) + " bytes: set \"bodyBytesMax\" to more");
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    // Not in libcurl's words: they have another number each time, and would be news each time.
    throw plugin::Failure(KPS_DEADLINE_EXCEEDED, what() + ": no answer within \"timeoutMs\", " +
                                                     std::to_string(settings_.timeout.count()) + " ms");
  }
  if (is_about_certificates(code)) {
    throw plugin::Failure(KPS_FAILED_PRECONDITION,
                          what() + ": " + why + ": mend the certificates, or \"caFile\", \"certFile\" and \"keyFile\"");
  }
  throw plugin::Failure(KPS_UNAVAILABLE, what() + ": " + why + ": is the server running, and the address right?");
}

size_t HttpClient::on_body(char* data, size_t size, size_t count, void* self) {
  HttpClient& client = *static_cast<HttpClient*>(self);
  std::string& body = client.answer_.body;
  const size_t bytes = size * count;
  const size_t room = client.limit_.bytes - body.size();
  if (bytes > room && !client.limit_.cut) {
    client.too_long_ = true;
    return 0;
  }
  body.append(data, std::min(bytes, room));
  return bytes;
}

size_t HttpClient::on_header(char* data, size_t size, size_t count, void* self) {
  Answer& answer = static_cast<HttpClient*>(self)->answer_;
  const std::string_view line(data, size * count);
  // A "100 Continue", or what a proxy said, comes before those of the answer.
  if (line.substr(0, 5) == "HTTP/") {
    answer.etag.clear();
    answer.last_modified.clear();
    answer.location.clear();
  } else if (!take_header(line, "ETag", &answer.etag) && !take_header(line, "Last-Modified", &answer.last_modified)) {
    take_header(line, "Location", &answer.location);
  }
  return line.size();
}

}  // namespace kps::plugins
