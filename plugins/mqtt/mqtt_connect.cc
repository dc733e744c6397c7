#include "mqtt_connect.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <kps/cpp/wait.hpp>
#include <memory>
#include <system_error>

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kGoodbyeMax{500};

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// 0 when it is connected, an errno otherwise; EINTR: woken.
int connect_to(const addrinfo& address, int wake_fd, std::chrono::milliseconds timeout) {
  const Socket socket(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return errno;
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  switch (plugin::wait_for(socket.get(), POLLOUT, wake_fd, timeout)) {
    case plugin::Wait::kTimeout: return ETIMEDOUT;
    case plugin::Wait::kWoken: return EINTR;
    case plugin::Wait::kReady: break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

std::string probe_tcp(const std::string& host, int port, int wake_fd, std::chrono::milliseconds timeout, bool* woken) {
  *woken = false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) return ::gai_strerror(status);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    error = connect_to(*address, wake_fd, std::max(left, std::chrono::milliseconds(0)));
    if (error == 0) return "";
    if (error == EINTR) {
      *woken = true;
      return "interrupted";
    }
  }
  return std::generic_category().message(error);
}

void end_connection(int socket) {
  const Socket owned(socket);
  ::shutdown(socket, SHUT_WR);
  const auto deadline = std::chrono::steady_clock::now() + kGoodbyeMax;
  char ignored[16 * 1024];
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waits{socket, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waits, 1, static_cast<int>(left.count())) <= 0) return;
    if (::recv(socket, ignored, sizeof ignored, MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace kps::plugins
