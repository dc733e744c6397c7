// One HTTP request, as a probe or Prometheus makes it.
#pragma once

#include <string>

namespace kps::test {

struct HttpAnswer {
  long status = 0;  // 0: no answer came
  std::string content_type;
  std::string body;
};

HttpAnswer HttpRequest(const std::string& method, const std::string& url);
inline HttpAnswer HttpGet(const std::string& url) { return HttpRequest("GET", url); }

// A TCP port of 127.0.0.1 at which connections are taken and never answered, as long as the object lives.
class SilentPort {
 public:
  // Port 0: one that the system picks. port() is 0 when it cannot be had.
  explicit SilentPort(int port = 0);
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort();
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

}  // namespace kps::test
