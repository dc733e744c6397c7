#include "tests/support/fake_nats_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/eventually.h"

namespace kps::test {
namespace {

constexpr char kPing[] = "PING\r\n";
constexpr std::size_t kPingBytes = sizeof kPing - 1;

void Send(int fd, const std::string& text) { (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }

}  // namespace

FakeNatsServer::FakeNatsServer() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_, any, size) != 0 || ::listen(listening_, 1) != 0 ||
      ::getsockname(listening_, any, &size) != 0) {
    throw std::runtime_error("no port is free");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

FakeNatsServer::~FakeNatsServer() {
  {
    const std::lock_guard lock(mutex_);
    ::shutdown(listening_, SHUT_RDWR);
    if (serving_ >= 0) ::shutdown(serving_, SHUT_RDWR);
  }
  thread_.join();
  ::close(listening_);
}

std::string FakeNatsServer::Login() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kDeadline, [this] { return !login_.empty(); });
  return login_;
}

void FakeNatsServer::BeLate(bool late) {
  const std::lock_guard lock(mutex_);
  late_ = late;
  for (; !late_ && waiting_ > 0; --waiting_) Send(serving_, "PONG\r\n");
}

int FakeNatsServer::PingsThatWait() {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

int FakeNatsServer::Pings() {
  const std::lock_guard lock(mutex_);
  return pings_;
}

void FakeNatsServer::Run() {
  for (int fd; (fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    {
      const std::lock_guard lock(mutex_);
      serving_ = fd;
    }
    Serve(fd);
    const std::lock_guard lock(mutex_);
    serving_ = -1;
    waiting_ = 0;
    ::close(fd);
  }
}

void FakeNatsServer::Serve(int fd) {
  Send(fd, R"(INFO {"server_id":"s","version":"2.9.10","proto":1,"headers":true,"max_payload":1000000,)"
           R"("auth_required":true,"nonce":"nonce"})"
           "\r\n");
  std::string text;
  char bytes[4096];
  for (ssize_t count; (count = ::read(fd, bytes, sizeof bytes)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(count));
    for (std::size_t ping; (ping = text.find(kPing)) != std::string::npos; text.erase(0, ping + kPingBytes)) {
      const std::lock_guard lock(mutex_);
      if (login_.empty()) login_ = text.substr(0, ping);
      OnPing(fd);
      changed_.notify_all();
    }
  }
}

void FakeNatsServer::OnPing(int fd) {
  ++pings_;
  if (late_) ++waiting_;
  Send(fd, late_ ? "+OK\r\n" : "PONG\r\n");
}

}  // namespace kps::test
