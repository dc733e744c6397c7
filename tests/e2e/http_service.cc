#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <stdexcept>

#include "tests/e2e/data_service.h"
#include "tests/plugins/http_sender.h"
#include "tests/plugins/http_server.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

// Holds a port that nobody else is given meanwhile; the webhook shares it.
class SharedPort {
 public:
  SharedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port is free");
    }
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SharedPort() { ::close(fd_); }
  SharedPort(const SharedPort&) = delete;
  SharedPort& operator=(const SharedPort&) = delete;
  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

class HttpService : public DataService {
 public:
  std::string plugin() const override { return "http"; }
  std::string IngressMetadata() const override { return R"({"listen": ")" + port_.address() + "\"}"; }
  std::string EgressMetadata() const override { return R"({"url": ")" + server_.url() + "\"}"; }
  // One after the other: a webhook answers when its message is safe, and only so is there an order.
  void Send(const std::vector<std::string>& payloads) override {
    testing::HttpSender sender("http://" + port_.address() + "/");
    for (const std::string& payload : payloads) {
      long status = 0;
      if (!Eventually([&] { return (status = sender.send(payload).status) == 200; })) {
        throw std::runtime_error("the webhook answered " + std::to_string(status));
      }
    }
  }
  std::size_t SendersMin() const override { return 8; }
  std::size_t DoublesOfASwapMax() const override { return 1; }  // a request whose answer is not waited for
  std::vector<std::string> Received(std::size_t count, std::chrono::seconds deadline) override {
    const auto bodies = [this] {
      const std::lock_guard lock(mutex_);
      return bodies_;
    };
    (void)Eventually(
        [&] {
          const std::lock_guard lock(mutex_);
          return bodies_.size() >= count;
        },
        deadline);
    return bodies();
  }
  void Stop() override { server_.stop(); }
  void Start() override { server_.start(); }

 private:
  const SharedPort port_;
  std::mutex mutex_;
  std::vector<std::string> bodies_;
  testing::HttpServer server_{[this](const testing::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    bodies_.push_back(request.body);
    return testing::HttpReply();
  }};
};

}  // namespace

std::unique_ptr<DataService> MakeHttpService() { return std::make_unique<HttpService>(); }

}  // namespace kps::test
