#include "host/metrics/http_server.h"

#include <civetweb.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <future>
#include <string_view>
#include <utility>

#include "host/core/mutex.h"
#include "host/metrics/prometheus_text.h"

namespace kps {
namespace {

// Figures can take long to collect, when the runtime is busy. The threads that are left then answer probes.
constexpr int kScrapesMax = 3;
constexpr char kThreads[] = "6";
constexpr char kRequestTimeoutMs[] = "5000";
constexpr char kText[] = "text/plain; charset=utf-8";

struct Endpoint {
  std::string host;
  std::string port;
};

Result<Endpoint> ParseAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  Endpoint endpoint;
  if (colon != std::string::npos) endpoint = {address.substr(0, colon), address.substr(colon + 1)};
  const bool host_ok = !endpoint.host.empty() && std::all_of(endpoint.host.begin(), endpoint.host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  unsigned port = 0;
  const char* const end = endpoint.port.data() + endpoint.port.size();
  const auto parsed = std::from_chars(endpoint.port.data(), end, port);
  if (!host_ok || parsed.ec != std::errc() || parsed.ptr != end || port > 65535) {
    return Error(Code::kInvalidArgument,
                 "\"" + address +
                     "\" is no address to serve metrics on: use HOST:PORT with a name or an IPv4 "
                     "address, as 127.0.0.1:9090");
  }
  return endpoint;
}

struct Response {
  int status = 200;
  const char* reason = "OK";
  const char* content_type = kText;
  std::string body;
};

}  // namespace

struct HttpServer::Impl {
  Content content;
  Endpoint endpoint;
  mg_context* context = nullptr;
  std::atomic<int> scrapes{0};
  Mutex mutex;
  std::string trouble KPS_GUARDED_BY(mutex);  // what civetweb said first

  Response Answer(std::string_view path) {
    if (path == "/livez") return {200, "OK", kText, "alive\n"};
    if (path == "/readyz") {
      const std::string why_not = content.why_not_ready();
      if (why_not.empty()) return {200, "OK", kText, "ready\n"};
      return {503, "Service Unavailable", kText, "not ready: " + why_not + "\n"};
    }
    if (path == "/metrics") return Scrape();
    return {404, "Not Found", kText, "There are /metrics, /livez and /readyz.\n"};
  }

  Response Scrape() {
    Response response{503, "Service Unavailable", kText, "Too many scrapes at a time.\n"};
    if (++scrapes <= kScrapesMax) {
      response = {200, "OK", kPrometheusContentType, PrometheusText(content.metrics->Collect())};
    }
    --scrapes;
    return response;
  }

  static int OnRequest(mg_connection* connection) {
    auto* impl = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    const mg_request_info* request = mg_get_request_info(connection);
    const std::string_view method = request->request_method;
    Response response{405, "Method Not Allowed", kText, "GET and HEAD are answered.\n"};
    if (method == "GET" || method == "HEAD") {
      response = impl->Answer(request->local_uri == nullptr ? "" : request->local_uri);
    }
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ' + response.reason +
                       "\r\nContent-Type: " + response.content_type +
                       "\r\nContent-Length: " + std::to_string(response.body.size()) +
                       "\r\nCache-Control: no-store\r\nConnection: close\r\n" +
                       (response.status == 405 ? "Allow: GET, HEAD\r\n" : "") + "\r\n";
    if (method != "HEAD") text += response.body;
    mg_write(connection, text.data(), text.size());
    return response.status;
  }

  static int OnLogMessage(const mg_connection* connection, const char* message) {
    auto* impl = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    MutexLock lock(impl->mutex);
    if (impl->trouble.empty()) impl->trouble = message;
    return 1;
  }
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, Content content) {
  auto endpoint = ParseAddress(address);
  if (!endpoint.ok()) return endpoint.error();
  auto impl = std::make_unique<Impl>();
  impl->content = std::move(content);
  impl->endpoint = endpoint.value();
  mg_callbacks callbacks{};
  callbacks.begin_request = Impl::OnRequest;
  callbacks.log_message = Impl::OnLogMessage;
  const char* options[] = {"listening_ports",    address.c_str(),   "num_threads", kThreads,
                           "request_timeout_ms", kRequestTimeoutMs, nullptr};
  mg_init_library(0);
  impl->context = mg_start(&callbacks, impl.get(), options);
  mg_server_port port{};
  if (impl->context == nullptr || mg_get_server_ports(impl->context, 1, &port) != 1) {
    mg_stop(impl->context);
    mg_exit_library();
    MutexLock lock(impl->mutex);
    return Error(Code::kUnavailable,
                 "cannot serve metrics on " + address + ": " + impl->trouble +
                     "; free it, or choose another with --metrics-listen (port 0 picks a free one)");
  }
  std::string picked = impl->endpoint.host + ':' + std::to_string(port.port);
  impl->endpoint.port = std::to_string(port.port);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl), std::move(picked)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl, std::string address)
    : impl_(std::move(impl)), address_(std::move(address)) {}

HttpServer::~HttpServer() {
  // civetweb's acceptor looks up every two seconds, or when somebody connects.
  auto stopped = std::async(std::launch::async, [this] { mg_stop(impl_->context); });
  while (stopped.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
    char ignored[128];
    mg_connection* knock =
        mg_connect_client(impl_->endpoint.host.c_str(), std::stoi(impl_->endpoint.port), 0, ignored, sizeof ignored);
    if (knock != nullptr) mg_close_connection(knock);
  }
  mg_exit_library();
}

}  // namespace kps
