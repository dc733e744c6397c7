#include "listen_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <kps/plugin.hpp>
#include <memory>

namespace kps::plugins {
namespace {

using plugin::Failure;

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Failure no_address(const std::string& text) {
  return Failure(KPS_INVALID_ARGUMENT,
                 "\"listen\" must be a numeric address and a port, such as 127.0.0.1:8080 or "
                 "[::1]:8080, but is \"" +
                     text + "\"");
}

// Numbers alone: no name server is asked, so that nothing hangs.
Addresses resolve(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) throw no_address(text);
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if ((host.find(':') != std::string::npos) != bracketed) throw no_address(text);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port) > 65535) {
    throw no_address(text);
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) throw no_address(text);
  return Addresses(found, ::freeaddrinfo);
}

Failure failure_of_errno(int number, const std::string& address) {
  const std::string what = "listen at " + address;
  if (number == EADDRINUSE) {
    return Failure(KPS_UNAVAILABLE, what + ": another program has this port: end it, or set \"listen\" to another");
  }
  if (number == EADDRNOTAVAIL) {
    return Failure(KPS_UNAVAILABLE, what + ": this machine does not have that address (yet): see \"listen\"");
  }
  return plugin::errno_failure(number, what);
}

}  // namespace

int listen_at(const std::string& address) {
  const Addresses addresses = resolve(address);
  const int fd = ::socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failure_of_errno(errno, address);
  const int on = 1;
  const bool listens = ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
                       ::bind(fd, addresses->ai_addr, addresses->ai_addrlen) == 0 && ::listen(fd, SOMAXCONN) == 0;
  if (listens) return fd;
  const int number = errno;
  ::close(fd);
  throw failure_of_errno(number, address);
}

std::string address_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    throw plugin::errno_failure(errno, "getsockname");
  }
  const std::string name = address.ss_family == AF_INET6 ? "[" + std::string(host) + "]" : host;
  return name + ":" + port;
}

}  // namespace kps::plugins
