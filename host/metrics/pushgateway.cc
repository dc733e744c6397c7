#include "host/metrics/pushgateway.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <utility>

#include "host/core/mutex.h"
#include "host/metrics/prometheus_text.h"

namespace kps {
namespace {

// Kept of what the gateway answers; it says there what it does not like.
constexpr std::size_t kAnswerBytesMax = 512;

struct Target {
  std::string url;    // what is pushed to
  std::string shown;  // for logs: without a password
};

std::string Get(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

Result<Target> ParseAddress(const std::string& address, const std::string& job) {
  std::string base = address.find("://") == std::string::npos ? "http://" + address : address;
  while (base.ends_with('/')) base.pop_back();
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  const bool parsed = curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) == CURLUE_OK;
  const std::string scheme = parsed ? Get(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    return Error(Code::kInvalidArgument,
                 "\"" + address + "\" is no address of a Pushgateway: use HOST:PORT or http://HOST:PORT");
  }
  curl_url_set(url.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(url.get(), CURLUPART_PASSWORD, nullptr, 0);
  return Target{base + "/metrics/job/" + job, Get(url.get(), CURLUPART_URL)};
}

std::size_t KeepAnswer(char* data, std::size_t one, std::size_t size, void* answer) {
  auto* text = static_cast<std::string*>(answer);
  text->append(data, std::min(size, kAnswerBytesMax - text->size()));
  return one * size;
}

}  // namespace

class Pushgateway::Impl {
 public:
  Impl(Options options, Target target, const MetricsSource* source, Logger* logger)
      : options_(std::move(options)), target_(std::move(target)), source_(source), logger_(logger) {
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      stop_requested_.NotifyAll();
    }
    thread_.join();
  }

 private:
  void Run() {
    do {
      const std::string trouble = Push(options_.timeout, &Impl::AbortWhenStopping);
      // A push that the end cut short says nothing about the gateway.
      if (!stopping_) Report(trouble);
    } while (!WaitForStop());
    Report(Push(options_.last_timeout, nullptr));
  }

  bool WaitForStop() {
    const auto deadline = std::chrono::steady_clock::now() + options_.interval;
    MutexLock lock(mutex_);
    while (!stopping_ && stop_requested_.WaitUntil(mutex_, deadline)) {
    }
    return stopping_;
  }

  static int AbortWhenStopping(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const Impl*>(self)->stopping_ ? 1 : 0;
  }

  // Why it did not arrive; empty: it did.
  std::string Push(std::chrono::milliseconds timeout, curl_xferinfo_callback abort) {
    const std::string text = PrometheusText(source_->Collect());
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) return "out of memory";
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
        curl_slist_append(nullptr, (std::string("Content-Type: ") + kPrometheusContentType).c_str()),
        curl_slist_free_all);
    std::string answer;
    char error[CURL_ERROR_SIZE] = "";
    const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
    set(CURLOPT_URL, target_.url.c_str());
    set(CURLOPT_CUSTOMREQUEST, "PUT");  // replaces what this job pushed before, as the template does
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
    set(CURLOPT_POSTFIELDS, text.data());
    set(CURLOPT_WRITEFUNCTION, KeepAnswer);
    set(CURLOPT_WRITEDATA, &answer);
    set(CURLOPT_ERRORBUFFER, error);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer is not waited for
    set(CURLOPT_PROXY, "");       // the gateway is a neighbour
    if (abort != nullptr) {
      set(CURLOPT_NOPROGRESS, 0L);
      set(CURLOPT_XFERINFOFUNCTION, abort);
      set(CURLOPT_XFERINFODATA, this);
    }
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) return *error != '\0' ? error : curl_easy_strerror(code);
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    return "it answers " + std::to_string(status) + " " + answer.substr(0, answer.find_first_of("\r\n"));
  }

  void Report(const std::string& trouble) {
    const State state = trouble.empty() ? State::kPushing : State::kFailing;
    if (std::exchange(state_, state) == state) return;
    const std::string gateway = "Pushgateway " + target_.shown;
    if (state == State::kPushing) {
      logger_->Log(LogLevel::kInfo, "", gateway + ": metrics are pushed");
    } else {
      logger_->Log(LogLevel::kWarn, "", gateway + ": metrics cannot be pushed: " + trouble + "; trying again");
    }
  }

  const Options options_;
  const Target target_;
  const MetricsSource* const source_;
  Logger* const logger_;

  Mutex mutex_;
  CondVar stop_requested_;
  std::atomic<bool> stopping_{false};  // set under mutex_

  // Of the thread.
  enum class State { kUnknown, kPushing, kFailing };
  State state_ = State::kUnknown;
  std::thread thread_;
};

Result<std::unique_ptr<Pushgateway>> Pushgateway::Start(Options options, const MetricsSource* source, Logger* logger) {
  auto target = ParseAddress(options.address, options.job);
  if (!target.ok()) return target.error();
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return Error(Code::kInternal, "libcurl cannot be used");
  return std::unique_ptr<Pushgateway>(
      new Pushgateway(std::make_unique<Impl>(std::move(options), std::move(target.value()), source, logger)));
}

Pushgateway::Pushgateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Pushgateway::~Pushgateway() = default;

}  // namespace kps
