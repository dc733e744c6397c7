// A real HTTP server on 127.0.0.1 that answers by a script, for the tests of the plugin http.
#ifndef KPS_TESTS_PLUGINS_HTTP_SERVER_H
#define KPS_TESTS_PLUGINS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <microhttpd.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace kps::testing {

struct HttpRequest {
  std::string method;
  std::string path;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpReply {
  unsigned status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class HttpServer {
 public:
  using Script = std::function<HttpReply(const HttpRequest&)>;

  explicit HttpServer(
      Script script = [](const HttpRequest&) { return HttpReply(); }, std::string certificate = "",
      std::string key = "")
      : script_(std::move(script)), certificate_(std::move(certificate)), key_(std::move(key)) {
    start();
  }
  ~HttpServer() { stop(); }

  // On the same port again, after stop().
  void start() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool tls = !certificate_.empty();
    const MHD_OptionItem none[] = {{MHD_OPTION_END, 0, nullptr}};
    const MHD_OptionItem certificate[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, certificate_.data()},
                                          {MHD_OPTION_HTTPS_MEM_KEY, 0, key_.data()},
                                          {MHD_OPTION_END, 0, nullptr}};
    daemon_ = MHD_start_daemon(MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                                   MHD_USE_ITC | (tls ? MHD_USE_TLS : 0),
                               port_, nullptr, nullptr, &HttpServer::on_request, this, MHD_OPTION_SOCK_ADDR, &address,
                               MHD_OPTION_NOTIFY_COMPLETED, &HttpServer::on_completed, this, MHD_OPTION_ARRAY,
                               tls ? certificate : none, MHD_OPTION_END);
    if (daemon_ == nullptr) throw std::runtime_error("no HTTP server on port " + std::to_string(port_));
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd, reinterpret_cast<sockaddr*>(&bound),
                &size);
    port_ = ntohs(bound.sin_port);
  }
  void stop() {
    release();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
    daemon_ = nullptr;
  }

  // Until release() it answers nothing.
  void hold() {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ = false;
    released_.notify_all();
  }

  void set_script(Script script) {
    const std::lock_guard<std::mutex> lock(mutex_);
    script_ = std::move(script);
  }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }
  size_t connections() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return peers_.size();
  }
  std::string url(const std::string& path = "/") const {
    return (certificate_.empty() ? "http" : "https") + ("://127.0.0.1:" + std::to_string(port_)) + path;
  }

 private:
  static MHD_Result on_header(void* self, MHD_ValueKind, const char* name, const char* value) {
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    static_cast<HttpRequest*>(self)->headers[lower] = value == nullptr ? "" : value;
    return MHD_YES;
  }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char*, const char* data, size_t* size, void** slot) {
    if (*slot == nullptr) {
      *slot = new HttpRequest{method, path, "", {}};
      MHD_get_connection_values(connection, MHD_HEADER_KIND, &HttpServer::on_header, *slot);
      return MHD_YES;
    }
    HttpRequest& request = *static_cast<HttpRequest*>(*slot);
    if (*size > 0) {
      request.body.append(data, *size);
      *size = 0;
      return MHD_YES;
    }
    return static_cast<HttpServer*>(self)->answer(connection, request);
  }
  static void on_completed(void*, MHD_Connection*, void** slot, MHD_RequestTerminationCode) {
    delete static_cast<HttpRequest*>(*slot);
    *slot = nullptr;
  }

  MHD_Result answer(MHD_Connection* connection, const HttpRequest& request) {
    std::unique_lock<std::mutex> lock(mutex_);
    requests_.push_back(request);
    peers_[reinterpret_cast<const sockaddr_in*>(
               MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr)
               ->sin_port]++;
    released_.wait(lock, [this] { return !held_; });
    const HttpReply reply = script_(request);
    lock.unlock();
    MHD_Response* response =
        MHD_create_response_from_buffer(reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
    for (const auto& [name, value] : reply.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result result = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return result;
  }

  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool held_ = false;
  Script script_;
  std::vector<HttpRequest> requests_;
  std::map<in_port_t, int> peers_;
  std::string certificate_;
  std::string key_;
  uint16_t port_ = 0;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace kps::testing

#endif
