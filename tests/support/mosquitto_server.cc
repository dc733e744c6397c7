#include "tests/support/mosquitto_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"

namespace kps::test {
namespace {

constexpr int kStartsMax = 20;

// Debian puts it where an ordinary user's PATH does not look.
const char* Program() { return ::access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto"; }

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void Visit(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  (void)::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(fd);
}

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

}  // namespace

MosquittoServer::MosquittoServer(const std::string& config) : config_(config) {
  std::string folder = (std::filesystem::temp_directory_path() / "kps-mosquitto-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make a folder for mosquitto");
  folder_ = folder;
  for (auto at = config_.find("$FOLDER"); at != std::string::npos; at = config_.find("$FOLDER")) {
    config_.replace(at, 7, folder_);
  }
  if (config_.find("allow_anonymous") == std::string::npos) config_ += "\nallow_anonymous true";
  Start();
}

MosquittoServer::~MosquittoServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MosquittoServer::Stop() {
  if (!process_) return;
  process_->Signal(SIGTERM);
  (void)process_->Wait();
  process_.reset();
}

void MosquittoServer::Start() {
  const bool first = port_ == 0;
  // Somebody else may take the port meanwhile.
  for (int i = 0; i < kStartsMax; ++i) {
    if (first) port_ = FreePort();
    if (TryStart()) return;
    if (Log().find("Address already in use") == std::string::npos) break;
  }
  throw std::runtime_error("mosquitto does not start: " + Log());
}

std::string MosquittoServer::Log() const {
  std::ostringstream all;
  all << std::ifstream(folder_ + "/log").rdbuf();
  return all.str();
}

bool MosquittoServer::TryStart() {
  const std::string log = folder_ + "/log";  // not a pipe: nobody reads it while the broker runs
  std::filesystem::remove(log);
  std::ofstream(folder_ + "/mosquitto.conf")
      << "listener " << port_ << " 127.0.0.1\nlog_dest file " << log << "\npersistence true\npersistence_location "
      << folder_ << "/\nuser root\nmax_queued_messages 0\n"
      << config_ << "\n";
  process_ = std::make_unique<Process>(std::vector<std::string>{Program(), "-c", folder_ + "/mosquitto.conf"},
                                       std::vector<std::string>{});
  const auto logged = [this](const char* text) { return Log().find(text) != std::string::npos; };
  // It says that it runs before it can be told to end: only who was served knows that it does.
  if (!Eventually([&] { return logged(" running") || logged("Error:"); }) || !logged(" running")) return false;
  Visit(port_);
  return Eventually([&] { return logged("onnection from"); });  // "New", or, with TLS, one that "failed"
}

}  // namespace kps::test
