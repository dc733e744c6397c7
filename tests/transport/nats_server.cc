#include "tests/transport/nats_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

namespace kps::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kStartAttempts = 5;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  const bool ok = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!ok) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool Listens(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return ok;
}

}  // namespace

bool WaitFor(const std::function<bool()>& condition, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (!condition()) {
    if (steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

NatsServer::NatsServer(State state, std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), port_(FreePort()) {
  if (state == State::kStopped) return;
  // Somebody else may take the port in between.
  for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
    if (TryStart()) return;
    port_ = FreePort();
  }
  throw std::runtime_error("nats-server does not start");
}

NatsServer::~NatsServer() { Stop(); }

bool NatsServer::TryStart() {
  std::vector<std::string> words = {"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port_)};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives a test that crashed
    for (int fd : {0, 1, 2}) dup2(null, fd);
    execvp(argv[0], argv.data());
    execv("/usr/sbin/nats-server", argv.data());
    _exit(127);
  }
  close(null);
  if (pid_ < 0) throw std::runtime_error("fork failed");
  bool exited = false;
  const bool listens = WaitFor([&] {
    exited = waitpid(pid_, nullptr, WNOHANG) == pid_;
    return exited || Listens(port_);
  });
  if (exited) pid_ = 0;
  if (listens && !exited) return true;
  Stop();
  return false;
}

void NatsServer::Start() {
  if (pid_ == 0 && !TryStart()) throw std::runtime_error("nats-server does not start on its port again");
}

void NatsServer::Stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void NatsServer::Restart() {
  Stop();
  Start();
}

void NatsServer::Pause() {
  kill(pid_, SIGSTOP);
  int status = 0;
  waitpid(pid_, &status, WUNTRACED);  // until it really stands
}

void NatsServer::Resume() { kill(pid_, SIGCONT); }

}  // namespace kps::testing
